import type { Usage } from '../../domain/usage.ts'
import { isRecord, readChatUsage } from '../shared/token-counts.ts'

/** Usage of an envelope, of a frame of a stream, or of a result without its envelope (the binding). */
export function readUsage(answer: unknown): Usage | undefined {
  if (!isRecord(answer)) return undefined
  const holder = isRecord(answer['result']) ? answer['result'] : answer
  return readChatUsage(holder['usage'])
}
