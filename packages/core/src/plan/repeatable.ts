import { bodyOf } from '../dialects/shared/scanned.ts'
import type { Prompt } from '../domain/prompt.ts'

/**
 * Whether a prompt may be sent a second time when it is not known what became of the first: not where the
 * upstream goes on with it on its own (`background` of Responses).
 *
 * @example isRepeatable(prompt)
 */
export function isRepeatable(prompt: Prompt): boolean {
  if (prompt.dialect !== 'openai-responses') return true
  const background = bodyOf(prompt).find('background')
  return background?.kind !== 'boolean' || !background.boolean()
}
