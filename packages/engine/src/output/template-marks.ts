import { chatmlTemplate } from '../gguf/chatml.ts'
import type { TemplateMarks } from './answer-plan.ts'
import { callStyle } from './call-style.ts'

/**
 * What the chat template of a model says about its answers.
 * @example templateMarks(model.facts.chatTemplate).thinking?.close // '</think>'
 */
export function templateMarks(template: string = chatmlTemplate): TemplateMarks {
  const thinks = template.includes('<think>') || template.includes('</think>')
  // Some templates end a prompt with the tag, so that an answer begins inside.
  const begun = /<think>\\n['"]\s*}}\s*(?:{%-?\s*endif\s*-?%}\s*)*$/.test(template)
  return {
    calls: callStyle(template),
    thinking: thinks ? { open: '<think>', close: '</think>', begun } : undefined,
  }
}
