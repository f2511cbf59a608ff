import type { Conversation } from '../../../domain/conversation.ts'

/**
 * Whether a conversation was read from a Responses body, told by where its turns stood: what only this API
 * understands can then be written back as it was. A top-level `input` is nowhere else.
 *
 * @example isOwnConversation(conversation) ? block.json : undefined
 */
export function isOwnConversation(conversation: Conversation): boolean {
  return conversation.turns.some(({ pointer }) => pointer === '/input' || pointer.startsWith('/input/'))
}
