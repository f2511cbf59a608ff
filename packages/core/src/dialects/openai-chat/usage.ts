import type { Usage } from '../../domain/usage.ts'
import { isRecord, readChatUsage } from '../shared/token-counts.ts'

/** Usage of a completion, or of the chunk of a stream that carries it; `undefined` where there is none. */
export function readUsage(answer: unknown): Usage | undefined {
  return isRecord(answer) ? readChatUsage(answer['usage']) : undefined
}
