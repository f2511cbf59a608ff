import type { StopReason } from '../../../domain/answer.ts'

const wire: Readonly<Record<StopReason, string>> = {
  end: 'end_turn',
  length: 'max_tokens',
  'stop-sequence': 'stop_sequence',
  'tool-calls': 'tool_use',
  refusal: 'refusal',
  pause: 'pause_turn',
  'content-filter': 'refusal',
  'context-exceeded': 'model_context_window_exceeded',
}

const reasons = Object.keys(wire) as StopReason[]

/** This API's word for why an answer ended. */
export function wireStopReason(stop: StopReason): string {
  return wire[stop]
}

/** A word we do not know ends an answer like any other. */
export function readStopReason(word: unknown): StopReason {
  return reasons.find((reason) => wire[reason] === word) ?? 'end'
}
