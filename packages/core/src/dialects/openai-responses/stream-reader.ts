import type { Answer, AnswerBlock, AnswerEvent, AnswerUsage, UpstreamFault } from '../../domain/answer.ts'
import type { ServerSentEvent, StreamReader, StreamStep } from '../../domain/dialect.ts'
import { IncipitError } from '../../domain/errors.ts'
import { chatFault } from '../shared/chat-fault.ts'
import { blocksOfItem, logprobsOf, stopOf, summarySeparator, textOf } from '../shared/responses/output-blocks.ts'
import { isRecord } from '../shared/token-counts.ts'
import { rawUsage, usage } from './usage.ts'

type Wire = Readonly<Record<string, unknown>>

/** A whole response of an upstream. @throws IncipitError `upstream_failed` when it is none, or one that failed */
export function readAnswer(answer: unknown): Answer {
  if (!isRecord(answer) || !Array.isArray(answer['output'])) {
    throw new IncipitError('upstream_failed', 'the upstream sent JSON without the array "output" of a response')
  }
  if (answer['status'] === 'failed' || answer['status'] === 'cancelled') {
    const code = isRecord(answer['error']) ? textOf(answer['error']['code']) : undefined
    throw new IncipitError(
      'upstream_failed',
      `the upstream's response is ${answer['status']}: ${code ?? 'no code given'}`,
    )
  }
  const blocks = answer['output'].flatMap(blocksOfItem)
  return {
    id: textOf(answer['id']),
    model: textOf(answer['model']),
    blocks,
    stop: stopOf(answer, blocks),
    stopSequence: undefined,
    usage: usageOf(answer),
  }
}

/** Reads a stream; what it does not know means nothing. */
export function streamReader(): StreamReader {
  return new ResponsesReader()
}

/** What has been passed on of an item, so that its last word can fill in what no delta brought. */
interface ItemProgress {
  /** Index among the tool calls, where it is one. */
  readonly call: number | undefined
  /** Characters of arguments passed on. */
  argued: number
  /** Content parts with text passed on. */
  readonly spoken: Set<number>
  /** Whether thoughts come as a summary or as themselves: some servers send both. */
  thoughts: 'summary' | 'text' | undefined
}

class ResponsesReader implements StreamReader {
  readonly #items = new Map<number, ItemProgress>()
  readonly #kinds: Pick<AnswerBlock, 'kind'>[] = []
  #calls = 0
  #started = false

  read({ event, data }: ServerSentEvent): StreamStep {
    if (data === '' || data === '[DONE]') return { kind: 'events', events: [] }
    const wire = parseObject(data)
    if (wire === undefined) return faultStep({ message: 'the upstream sent an event that is no JSON object' })
    const type = textOf(wire['type']) ?? event ?? ''
    if (type === 'error' || type === 'response.failed') return faultStep(streamFault(type, wire))
    const events = this.#eventsOf(type, wire)
    if (this.#started || events.length === 0) return { kind: 'events', events }
    this.#started = true
    return { kind: 'events', events: [startOf(wire), ...events] }
  }

  /** Nothing waits: the event that ends a response carries its usage. */
  end(): readonly AnswerEvent[] {
    return []
  }

  #eventsOf(type: string, wire: Wire): AnswerEvent[] {
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        return this.#start(wire)
      case 'response.output_item.added':
        return this.#itemAdded(wire)
      case 'response.output_item.done':
        return this.#itemDone(wire)
      case 'response.output_text.delta':
        this.#item(wire).spoken.add(indexOf(wire, 'content_index'))
        return this.#text(textOf(wire['delta']), wire)
      case 'response.output_text.done':
        return this.#isSpoken(wire) ? [] : this.#text(textOf(wire['text']), wire)
      case 'response.refusal.delta':
        this.#item(wire).spoken.add(indexOf(wire, 'content_index'))
        return this.#refusal(textOf(wire['delta']))
      case 'response.refusal.done':
        return this.#isSpoken(wire) ? [] : this.#refusal(textOf(wire['refusal']))
      case 'response.reasoning_summary_part.added':
        return this.#separator(wire)
      case 'response.reasoning_summary_text.delta':
        return this.#thought('summary', wire)
      case 'response.reasoning_text.delta':
        return this.#thought('text', wire)
      case 'response.function_call_arguments.delta':
        return this.#arguments(this.#item(wire), textOf(wire['delta']) ?? '')
      case 'response.function_call_arguments.done':
        return this.#argumentsRest(this.#item(wire), textOf(wire['arguments']))
      case 'response.completed':
      case 'response.incomplete':
        return this.#finish(wire)
      default:
        return []
    }
  }

  #start(wire: Wire): AnswerEvent[] {
    if (this.#started) return []
    this.#started = true
    return [startOf(wire)]
  }

  #itemAdded(wire: Wire): AnswerEvent[] {
    const { item } = wire
    if (!isRecord(item) || item['type'] !== 'function_call') return []
    const call = this.#calls++
    const progress: ItemProgress = { call, argued: 0, spoken: new Set(), thoughts: undefined }
    this.#items.set(indexOf(wire, 'output_index'), progress)
    this.#kinds.push({ kind: 'tool-call' })
    const id = textOf(item['call_id']) ?? textOf(item['id']) ?? ''
    const start: AnswerEvent = { kind: 'tool-start', index: call, id, name: textOf(item['name']) ?? '' }
    return [start, ...this.#arguments(progress, textOf(item['arguments']) ?? '')]
  }

  #itemDone(wire: Wire): AnswerEvent[] {
    const { item } = wire
    if (!isRecord(item)) return []
    const encrypted = textOf(item['encrypted_content'])
    if (item['type'] === 'reasoning') {
      return encrypted === undefined ? [] : [{ kind: 'thinking-signature', signature: encrypted }]
    }
    if (item['type'] !== 'function_call') return []
    // Some servers announce a call only when it is complete.
    const added = this.#item(wire).call === undefined ? this.#itemAdded(wire) : []
    return [...added, ...this.#argumentsRest(this.#item(wire), textOf(item['arguments']))]
  }

  #text(text: string | undefined, wire: Wire): AnswerEvent[] {
    const logprobs = logprobsOf(wire['logprobs'])
    if (text === undefined || (text === '' && logprobs === undefined)) return []
    return [logprobs === undefined ? { kind: 'text-delta', text } : { kind: 'text-delta', text, logprobs }]
  }

  #refusal(text: string | undefined): AnswerEvent[] {
    if (text === undefined || text === '') return []
    this.#kinds.push({ kind: 'refusal' })
    return [{ kind: 'refusal-delta', text }]
  }

  #separator(wire: Wire): AnswerEvent[] {
    const isFirst = indexOf(wire, 'summary_index') === 0
    return isFirst || this.#item(wire).thoughts !== 'summary'
      ? []
      : [{ kind: 'thinking-delta', text: summarySeparator }]
  }

  #thought(thoughts: 'summary' | 'text', wire: Wire): AnswerEvent[] {
    const item = this.#item(wire)
    item.thoughts ??= thoughts
    const text = textOf(wire['delta']) ?? ''
    return item.thoughts !== thoughts || text === '' ? [] : [{ kind: 'thinking-delta', text }]
  }

  #arguments(item: ItemProgress, json: string): AnswerEvent[] {
    if (item.call === undefined || json === '') return []
    item.argued += json.length
    return [{ kind: 'tool-delta', index: item.call, json }]
  }

  #argumentsRest(item: ItemProgress, all: string | undefined): AnswerEvent[] {
    return all === undefined ? [] : this.#arguments(item, all.slice(item.argued))
  }

  #finish(wire: Wire): AnswerEvent[] {
    const response = isRecord(wire['response']) ? wire['response'] : {}
    const stop = stopOf(response, this.#kinds)
    return [{ kind: 'finish', stop, stopSequence: undefined, usage: usageOf(wire) }]
  }

  #isSpoken(wire: Wire): boolean {
    return this.#item(wire).spoken.has(indexOf(wire, 'content_index'))
  }

  #item(wire: Wire): ItemProgress {
    const index = indexOf(wire, 'output_index')
    const known = this.#items.get(index)
    if (known !== undefined) return known
    const progress: ItemProgress = { call: undefined, argued: 0, spoken: new Set(), thoughts: undefined }
    this.#items.set(index, progress)
    return progress
  }
}

function startOf(wire: Wire): AnswerEvent {
  const response = isRecord(wire['response']) ? wire['response'] : {}
  return { kind: 'start', id: textOf(response['id']), model: textOf(response['model']), usage: undefined }
}

function usageOf(answer: unknown): AnswerUsage | undefined {
  const raw = rawUsage(answer)
  return raw === undefined ? undefined : usage(raw)
}

function streamFault(type: string, wire: Wire): UpstreamFault {
  const source = type === 'error' ? wire : wire['response']
  const fault = chatFault(source)
  // The `type` of such an event is `error`, which says nothing.
  const named = isRecord(wire['error']) ? fault?.type : undefined
  return { code: undefined, param: undefined, message: 'the upstream named no reason', ...fault, type: named }
}

function faultStep(fault: Partial<UpstreamFault> & Pick<UpstreamFault, 'message'>): StreamStep {
  return { kind: 'fault', fault: { type: undefined, code: undefined, param: undefined, ...fault } }
}

function indexOf(wire: Wire, name: string): number {
  const index = wire[name]
  return typeof index === 'number' ? index : 0
}

function parseObject(data: string): Wire | undefined {
  try {
    const parsed: unknown = JSON.parse(data)
    return isRecord(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
