import type { AnswerUsage } from '../../domain/answer.ts'
import type { TokenCount } from '../../domain/units.ts'
import { chatInputTotal, isRecord, readChatUsage } from '../shared/token-counts.ts'

/**
 * The usage object of a completion or of a chunk: where the API has it, where Groq puts it in the last
 * chunk of a stream, or where Moonshot does.
 */
export function rawUsage(answer: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(answer)) return undefined
  if (isRecord(answer['usage'])) return answer['usage']
  if (isRecord(answer['x_groq']) && isRecord(answer['x_groq']['usage'])) return answer['x_groq']['usage']
  const choice: unknown = Array.isArray(answer['choices']) ? answer['choices'][0] : undefined
  return isRecord(choice) && isRecord(choice['usage']) ? choice['usage'] : undefined
}

export function usage(raw: Readonly<Record<string, unknown>>): AnswerUsage | undefined {
  return readChatUsage(raw)
}

export function inputTotal(raw: Readonly<Record<string, unknown>>): TokenCount | undefined {
  return chatInputTotal(raw)
}
