import type { Fingerprint, Prompt, WireHash } from '@incipit/core'
import { wireHashAt } from '@incipit/core'

/**
 * The hash of what a prompt shares with prompts of other sessions, if with any: tools, instructions, knowledge, all
 * before the first message of the user. Inside a scope only; `undefined` where the user speaks first.
 *
 * @example openingHash(prompt, fingerprint(prompt, scope))
 */
export function openingHash(
  { segments }: Pick<Prompt, 'segments'>,
  { chain }: Pick<Fingerprint, 'chain'>,
): WireHash | undefined {
  const first = segments.findIndex(({ role }) => role === 'user')
  const end = chain.segmentEnds[(first === -1 ? segments.length : first) - 1]
  return end === undefined ? undefined : wireHashAt(chain, end)
}
