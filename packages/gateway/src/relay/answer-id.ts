import { ownMember } from './own-member.ts'

/**
 * The id of an answer, or of the event that begins one.
 * @example answerIdIn(Buffer.from('{"metadata":{"id":"x"},"id":"resp_1"}')) // 'resp_1'
 */
export function answerIdIn(bytes: Buffer): string | undefined {
  return ownMember(bytes, 'id')
}
