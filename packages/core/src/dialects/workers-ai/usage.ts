import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import { rawUsage as rawChatUsage } from '../openai-chat/usage.ts'
import { chatInputTotal, isRecord, readChatUsage } from '../shared/token-counts.ts'

/** Usage of an envelope, of a frame of a stream, or of a result without its envelope (the binding). */
export function rawUsage(answer: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(answer)) return undefined
  return rawChatUsage(isRecord(answer['result']) ? answer['result'] : answer)
}

export function usage(raw: Readonly<Record<string, unknown>>): AnswerUsage | undefined {
  return readChatUsage(raw)
}

export function inputTotal(raw: Readonly<Record<string, unknown>>): TokenCount | undefined {
  return chatInputTotal(raw)
}
