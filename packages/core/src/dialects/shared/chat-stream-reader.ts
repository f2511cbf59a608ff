import type { AnswerEvent } from '../../domain/answer.ts'
import type { ServerSentEvent, StreamReader, StreamStep } from '../../domain/dialect.ts'
import type { TokenLogprob } from '../../domain/generation.ts'
import { argumentsOf, contentOf, readLogprobs, stringOf, thinkingOf } from './chat-answer.ts'
import { chatFault, parsed } from './chat-fault.ts'
import { chatStop } from './chat-stops.ts'
import { mergeUsage } from './merge-usage.ts'
import { isRecord, readChatUsage, recordOf } from './token-counts.ts'

type RawUsage = Readonly<Record<string, unknown>> | undefined

/**
 * Reads the chunks of a chat completion. Usage may come in any chunk, once, again or in parts: the end of the
 * answer waits for the end of the stream. A stream that never said how it ended has no `finish`.
 *
 * @example const reader = new ChatStreamReader(rawUsage)
 */
export class ChatStreamReader implements StreamReader {
  readonly #rawUsage: (chunk: unknown) => RawUsage
  /** Ids of the calls so far, and of each index on the wire the last call that had it. */
  readonly #calls: string[] = []
  readonly #lastOfIndex = new Map<number, number>()
  #usage: RawUsage
  #started = false
  #finish: string | undefined
  #refused = false
  #ended = false

  constructor(rawUsage: (chunk: unknown) => RawUsage) {
    this.#rawUsage = rawUsage
  }

  read(event: ServerSentEvent): StreamStep {
    if (event.data.trim() === '[DONE]') {
      this.#finish ??= this.#calls.length > 0 ? 'tool_calls' : 'stop'
      return { kind: 'events', events: this.end() }
    }
    const chunk = parsed(event.data)
    const fault = chatFault(chunk)
    if (fault !== undefined) return { kind: 'fault', fault }
    return { kind: 'events', events: isRecord(chunk) ? this.chunk(chunk) : [] }
  }

  /** A chunk that is no fault. */
  chunk(chunk: Readonly<Record<string, unknown>>): AnswerEvent[] {
    if (this.#ended) return []
    this.#usage = mergeUsage(this.#usage, this.#rawUsage(chunk))
    return [...this.#start(chunk), ...this.#choice(chunk)]
  }

  end(): readonly AnswerEvent[] {
    if (this.#ended || this.#finish === undefined) return []
    this.#ended = true
    const usage = this.#usage && readChatUsage(this.#usage)
    const finish = {
      kind: 'finish',
      stop: chatStop(this.#finish, this.#refused),
      stopSequence: undefined,
      usage,
    } as const
    return this.#started ? [finish] : [...this.#start({}), finish]
  }

  #start(chunk: Readonly<Record<string, unknown>>): AnswerEvent[] {
    if (this.#started) return []
    this.#started = true
    return [{ kind: 'start', id: stringOf(chunk['id']), model: stringOf(chunk['model']), usage: undefined }]
  }

  #choice(chunk: Readonly<Record<string, unknown>>): AnswerEvent[] {
    const choice: unknown = Array.isArray(chunk['choices']) ? chunk['choices'][0] : undefined
    if (!isRecord(choice)) return []
    const finish = stringOf(choice['finish_reason'])
    if (finish !== undefined && finish !== '') this.#finish = finish
    const delta = recordOf(choice['delta'])
    const calls: unknown = delta['tool_calls']
    return [
      ...textEvents(delta, readLogprobs(choice['logprobs'])),
      ...this.#refusal(stringOf(delta['refusal']) ?? ''),
      ...(Array.isArray(calls) ? calls.filter(isRecord).flatMap((call) => this.#call(call)) : []),
    ]
  }

  #refusal(text: string): AnswerEvent[] {
    if (text === '') return []
    this.#refused = true
    return [{ kind: 'refusal-delta', text }]
  }

  /** Some servers give every call the index 0, or none: another id with a name is another call. */
  #call(call: Readonly<Record<string, unknown>>): AnswerEvent[] {
    const called = recordOf(call['function'])
    const wireIndex = typeof call['index'] === 'number' ? call['index'] : 0
    const id = stringOf(call['id']) ?? ''
    const name = stringOf(called['name']) ?? ''
    const events: AnswerEvent[] = []
    let at = this.#lastOfIndex.get(wireIndex) ?? -1
    const isOther = id !== '' && name !== '' && this.#calls[at] !== id
    if (at === -1 || isOther) {
      at = this.#calls.push(id) - 1
      this.#lastOfIndex.set(wireIndex, at)
      events.push({ kind: 'tool-start', index: at, id: id === '' ? `call_${at}` : id, name })
    }
    const json = argumentsOf(called['arguments'])
    if (json !== '') events.push({ kind: 'tool-delta', index: at, json })
    return events
  }
}

function textEvents(
  delta: Readonly<Record<string, unknown>>,
  logprobs: readonly TokenLogprob[] | undefined,
): AnswerEvent[] {
  const events: AnswerEvent[] = []
  const thinking = thinkingOf(delta)
  if (thinking !== undefined) events.push({ kind: 'thinking-delta', text: thinking })
  const text = contentOf(delta['content'])
  if (text !== undefined || (logprobs !== undefined && logprobs.length > 0)) {
    events.push({ kind: 'text-delta', text: text ?? '', logprobs })
  }
  return events
}
