import { decideAnswer } from '../decide-answer.ts'
import { idOf } from '../digest.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import type { JsonObject } from '../json.ts'
import { numberOf } from '../json.ts'
import type { TokenSequence } from '../token-sequence.ts'
import { chatQuestion } from './chat-question.ts'
import type { ChatCompletion, Part } from './render-chat.ts'

/** A completion and what it counted, before the provider words the usage. */
export interface AnsweredChat extends Omit<ChatCompletion, 'usage'> {
  readonly counts: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
}

/** What an emulated engine answers to a chat prompt. */
export function answerChat(body: JsonObject, request: EmulatedRequest, sequence: TokenSequence): AnsweredChat {
  const model = String(body['model'])
  const seed = sequence.hash(model)
  const answers = Array.from({ length: numberOf(body['n']) ?? 1 }, (_, index) =>
    decideAnswer(chatQuestion(body, index === 0 ? seed : `${seed} ${index}`, request.answerBytes)),
  )
  const output = answers.reduce((sum, { tokens }) => sum + tokens, 0)
  return {
    id: idOf('chatcmpl-', seed, String(request.number)),
    created: Math.floor(request.receivedAt / 1_000),
    model,
    answers,
    counts: { prompt_tokens: sequence.length, completion_tokens: output, total_tokens: sequence.length + output },
  }
}

/** Usage with the cached tokens inside the prompt's total. */
export function usageWithCached(counts: AnsweredChat['counts'], cached: number): Part {
  return { ...counts, prompt_tokens_details: { cached_tokens: cached } }
}
