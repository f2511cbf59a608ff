import { IncipitError, storedReferences } from '@incipit/core'
import type { House } from '../house.ts'
import type { Identified } from '../passage.ts'

/**
 * Organisations share a credential, and with it what the provider stores: a request may refer only to what its
 * own organisation has stored.
 *
 * @throws IncipitError `not_found` for an answer of another organisation or of nobody known here; `forbidden` for a conversation or single items, whose owner cannot be known
 * @example await checkStoredAnswers(who, house)
 */
export async function checkStoredAnswers(who: Identified, house: House): Promise<void> {
  if (house.keys.organisations < 2 || who.caller.ownCredential) return
  const { previousResponseIds, conversation, items } = storedReferences(who.prompt)
  if (previousResponseIds.length > 1) {
    const message = `previous_response_id stands ${previousResponseIds.length} times in the body, once is allowed`
    throw new IncipitError('invalid_request', message, { param: '/previous_response_id' })
  }
  for (const id of previousResponseIds) await requireStoredAnswer(id, who.caller, house)
  if (conversation) {
    const message = 'conversations stored at the provider are shared by all organisations of this gateway'
    throw new IncipitError('forbidden', message, { param: '/conversation' })
  }
  if (items) {
    const message = 'items stored at the provider are shared by all organisations of this gateway: send them whole'
    throw new IncipitError('forbidden', message, { param: '/input' })
  }
}

/**
 * Where the stored answer is.
 * @throws IncipitError `not_found`, with the same words whether it is another's or nobody's
 */
export async function requireStoredAnswer(
  answerId: string,
  caller: Identified['caller'],
  house: House,
): Promise<string | undefined> {
  const stored = await house.ledger.findStoredAnswer(answerId)
  if (stored?.org === caller.org) return stored.upstream
  throw new IncipitError('not_found', `no stored answer ${answerId.slice(0, 80)} of this organisation`)
}
