import type { AnswerEvent, StopReason } from '../../domain/answer.ts'
import type { ServerSentEvent, StreamReader, StreamStep } from '../../domain/dialect.ts'
import { scanJson } from '../../json/scan-json.ts'
import { readStopReason } from '../shared/anthropic/stop-reasons.ts'
import { isRecord } from '../shared/token-counts.ts'
import { faultOfEvent } from './errors.ts'
import { mergeUsage, rawUsage, usage } from './usage.ts'

/** Reads a streamed message. Events and blocks of types that an answer has no place for mean nothing. */
export function streamReader(): StreamReader {
  return new MessageReader()
}

type Wire = Readonly<Record<string, unknown>>

const nothing: readonly AnswerEvent[] = []

class MessageReader implements StreamReader {
  #usage: Wire = {}
  #stop: { readonly reason: StopReason; readonly sequence: string | undefined } | undefined
  #ended = false
  /** Tool calls, counted in order, by the index of their block. */
  readonly #tools = new Map<unknown, number>()

  read({ data }: ServerSentEvent): StreamStep {
    const event = parsedOr(data)
    if (event === undefined) return { kind: 'fault', fault: { ...faultOfEvent({}), message: 'an event is no JSON' } }
    if (event['type'] === 'error') return { kind: 'fault', fault: faultOfEvent(event) }
    return { kind: 'events', events: this.#events(event, data) }
  }

  /** A stream that broke off after its last word but before `message_stop` is complete; one without is not. */
  end(): readonly AnswerEvent[] {
    return this.#stop === undefined ? nothing : this.#finish()
  }

  #events(event: Wire, data: string): readonly AnswerEvent[] {
    switch (event['type']) {
      case 'message_start':
        return [this.#start(event)]
      case 'content_block_start':
        return this.#blockStart(event, data)
      case 'content_block_delta':
        return this.#delta(event['index'], recordOf(event['delta']))
      case 'message_delta':
        return this.#messageDelta(event)
      case 'message_stop':
        return this.#finish()
      case 'ping':
        return [{ kind: 'ping' }]
      default:
        return nothing
    }
  }

  #start(event: Wire): AnswerEvent {
    const message = recordOf(event['message'])
    this.#usage = mergeUsage(this.#usage, rawUsage(event) ?? {})
    const known = usage({ ...this.#usage, output_tokens: undefined, output_tokens_details: undefined })
    return { kind: 'start', id: textOf(message['id']), model: textOf(message['model']), usage: known }
  }

  #blockStart(event: Wire, data: string): readonly AnswerEvent[] {
    const block = recordOf(event['content_block'])
    switch (block['type']) {
      case 'text':
        return textEvent('text-delta', block['text'])
      case 'thinking':
        return [...textEvent('thinking-delta', block['thinking']), ...signatureEvent(block['signature'])]
      case 'redacted_thinking':
        return [{ kind: 'redacted-thinking', data: textOf(block['data']) ?? '' }]
      case 'tool_use': {
        const index = this.#tools.size
        this.#tools.set(event['index'], index)
        const start = { kind: 'tool-start', id: textOf(block['id']) ?? '', name: textOf(block['name']) ?? '' } as const
        // Some upstreams give the whole input at once, and no deltas.
        const isWhole = Object.keys(recordOf(block['input'])).length > 0
        const whole = isWhole ? ([{ kind: 'tool-delta', index, json: rawInput(data) }] as const) : []
        return [{ ...start, index }, ...whole]
      }
      default:
        return nothing
    }
  }

  #delta(block: unknown, delta: Wire): readonly AnswerEvent[] {
    switch (delta['type']) {
      case 'text_delta':
        return textEvent('text-delta', delta['text'])
      case 'thinking_delta':
        return textEvent('thinking-delta', delta['thinking'])
      case 'signature_delta':
        return signatureEvent(delta['signature'])
      case 'input_json_delta': {
        const index = this.#tools.get(block)
        const json = textOf(delta['partial_json']) ?? ''
        return index === undefined || json === '' ? nothing : [{ kind: 'tool-delta', index, json }]
      }
      default:
        return nothing
    }
  }

  #messageDelta(event: Wire): readonly AnswerEvent[] {
    this.#usage = mergeUsage(this.#usage, rawUsage(event) ?? {})
    const { stop_reason: reason, stop_sequence: sequence } = recordOf(event['delta'])
    if (reason !== null && reason !== undefined) {
      this.#stop = { reason: readStopReason(reason), sequence: textOf(sequence) }
    }
    return nothing
  }

  #finish(): readonly AnswerEvent[] {
    if (this.#ended) return nothing
    this.#ended = true
    const { reason, sequence } = this.#stop ?? { reason: 'end', sequence: undefined }
    return [{ kind: 'finish', stop: reason, stopSequence: sequence, usage: usage(this.#usage) }]
  }
}

function textEvent(kind: 'text-delta' | 'thinking-delta', text: unknown): readonly AnswerEvent[] {
  return typeof text === 'string' && text !== '' ? [{ kind, text }] : nothing
}

function signatureEvent(signature: unknown): readonly AnswerEvent[] {
  return typeof signature === 'string' && signature !== '' ? [{ kind: 'thinking-signature', signature }] : nothing
}

/** The input as the upstream wrote it. */
function rawInput(data: string): string {
  const document = scanJson(new TextEncoder().encode(data))
  const input = document.at('/content_block/input')
  return input === undefined ? '' : document.raw(input)
}

function recordOf(value: unknown): Wire {
  return isRecord(value) ? value : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function parsedOr(data: string): Wire | undefined {
  // The last word of another dialect, which some upstreams of this one say too.
  if (data.trim() === '[DONE]') return {}
  try {
    const value: unknown = JSON.parse(data)
    return recordOf(value)
  } catch {
    return undefined
  }
}
