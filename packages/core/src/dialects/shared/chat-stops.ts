import type { StopReason } from '../../domain/answer.ts'

/** Words of the chat API for the end of an answer. */
export type ChatFinish = 'stop' | 'length' | 'tool_calls' | 'content_filter'

const finishes: Readonly<Record<StopReason, ChatFinish>> = {
  end: 'stop',
  length: 'length',
  'stop-sequence': 'stop',
  'tool-calls': 'tool_calls',
  refusal: 'content_filter',
  pause: 'stop',
  'content-filter': 'content_filter',
  'context-exceeded': 'length',
}

const stops: ReadonlyMap<unknown, StopReason> = new Map<unknown, StopReason>([
  ['stop', 'end'],
  ['length', 'length'],
  ['tool_calls', 'tool-calls'],
  ['function_call', 'tool-calls'],
  ['content_filter', 'content-filter'],
  ['model_length', 'context-exceeded'],
])

/** A refusal in words ends as any other answer: the words stand in `refusal`. */
export function chatFinish(stop: StopReason, refused: boolean): ChatFinish {
  return stop === 'refusal' && refused ? 'stop' : finishes[stop]
}

/** An end in a word we do not know is an end all the same. */
export function chatStop(finish: unknown, refused: boolean): StopReason {
  const stop = stops.get(finish) ?? 'end'
  return stop === 'end' && refused ? 'refusal' : stop
}
