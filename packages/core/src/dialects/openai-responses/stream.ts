import type { AnswerEvent } from '../../domain/answer.ts'
import type { CacheDiagnosis } from '../../domain/cached-prompt.ts'
import type { AnswerContext, StreamRenderer } from '../../domain/dialect.ts'
import type { IncipitError } from '../../domain/errors.ts'
import { jsonText } from '../shared/write-json.ts'
import { streamError } from './errors.ts'
import type { ResponseState } from './render.ts'
import {
  callItem,
  endOf,
  itemId,
  messageItem,
  reasoningItem,
  refusalPart,
  responseWriter,
  textPart,
  usageText,
} from './render.ts'
import type { WireItem, WireLogprob, WireRefusal, WireStatus, WireText } from './wire.ts'
import { appendAll } from '../../domain/append.ts'

type Of<Kind extends AnswerEvent['kind']> = Extract<AnswerEvent, { kind: Kind }>

interface OpenItem {
  readonly id: string
  readonly index: number
}

/** The part of a message that is being written. */
interface OpenPart {
  readonly kind: 'text' | 'refusal'
  text: string
  readonly logprobs: WireLogprob[]
}

interface OpenMessage extends OpenItem {
  readonly kind: 'message'
  readonly done: (WireText | WireRefusal)[]
  part: OpenPart | undefined
}

interface OpenReasoning extends OpenItem {
  readonly kind: 'reasoning'
  text: string
}

interface OpenCall extends OpenItem {
  readonly callId: string
  readonly name: string
  arguments: string
}

/** A streamed answer: the response begun, its items as they come about, the response ended. No `[DONE]`. */
export function stream(context: AnswerContext): StreamRenderer {
  return new ResponsesStream(context)
}

class ResponsesStream implements StreamRenderer {
  readonly #context: AnswerContext
  readonly #write: (state: ResponseState) => string
  #sequence = 0
  #refused = false
  #diagnosis: CacheDiagnosis | undefined
  /** Items by their place; `undefined` while one is open. */
  readonly #output: (string | undefined)[] = []
  #open: OpenMessage | OpenReasoning | undefined
  /** Calls stay open to the end: their deltas may take turns. */
  readonly #calls = new Map<number, OpenCall>()

  constructor(context: AnswerContext) {
    this.#context = context
    this.#write = responseWriter(context)
  }

  event(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start': {
        this.#diagnosis = event.diagnosis
        const response = this.#write({ status: 'in_progress', output: [] })
        return ['created', 'in_progress'].map((name) => this.#send(`response.${name}`, { response })).join('')
      }
      case 'text-delta':
        return this.#textDelta(event)
      case 'refusal-delta':
        this.#refused ||= event.text !== ''
        return event.text === '' ? '' : this.#partDelta('refusal', event.text, [])
      case 'thinking-delta':
        return event.text === '' ? '' : this.#thinkingDelta(event.text)
      case 'thinking-signature':
        return this.#openReasoning() + this.#closeOpen('completed', event.signature)
      case 'redacted-thinking':
        return this.#closeOpen('completed') + this.#openReasoning() + this.#closeOpen('completed', event.data)
      case 'tool-start':
        return this.#toolStart(event)
      case 'tool-delta':
        return event.json === '' ? '' : this.#toolDelta(event)
      case 'ping':
        return ': ping\n\n'
      case 'finish':
        return this.#finish(event)
      default:
        return event satisfies never
    }
  }

  /** Clients look at one or the other: the official one throws at the first, others wait for the second. */
  error(error: IncipitError): string {
    const { event, response: failure } = streamError(error, this.#context.id)
    const data = `{"type":"error","sequence_number":${this.#sequence++},${event}}`
    const response = this.#write({ status: 'failed', error: failure, output: this.#doneItems() })
    return `event: error\ndata: ${data}\n\n${this.#send('response.failed', { response })}`
  }

  #textDelta({ text, logprobs }: Of<'text-delta'>): string {
    if (text === '' && logprobs === undefined) return ''
    return this.#partDelta('text', text, textPart('', logprobs).logprobs)
  }

  #partDelta(kind: OpenPart['kind'], text: string, logprobs: readonly WireLogprob[]): string {
    const [message, opening] = this.#messageFor(kind)
    const { part } = message
    if (part === undefined) throw new Error('a message that takes a delta has no part')
    part.text += text
    appendAll(part.logprobs, logprobs)
    const place = this.#partPlace(message)
    const delta = jsonText(text)
    if (kind === 'refusal') return opening + this.#send('response.refusal.delta', { ...place, delta })
    return opening + this.#send('response.output_text.delta', { ...place, delta, logprobs: JSON.stringify(logprobs) })
  }

  /** The open message with an open part of that kind, and what had to be said to have one. */
  #messageFor(kind: OpenPart['kind']): [message: OpenMessage, said: string] {
    let said = ''
    let open = this.#open
    if (open?.kind !== 'message') {
      said += this.#closeOpen('completed')
      const item = this.#newItem('msg')
      open = { ...item, kind: 'message', done: [], part: undefined }
      this.#open = open
      said += this.#added(item, messageItem(item.id, 'in_progress', []))
    }
    if (open.part?.kind === kind) return [open, said]
    said += this.#closePart(open)
    open.part = { kind, text: '', logprobs: [] }
    const part = JSON.stringify(kind === 'text' ? textPart('', undefined) : refusalPart(''))
    said += this.#send('response.content_part.added', { ...this.#partPlace(open), part })
    return [open, said]
  }

  #closePart(message: OpenMessage): string {
    const { part } = message
    if (part === undefined) return ''
    const place = this.#partPlace(message)
    const text = jsonText(part.text)
    const wire =
      part.kind === 'text' ? { ...textPart(part.text, undefined), logprobs: part.logprobs } : refusalPart(part.text)
    const done =
      part.kind === 'text'
        ? this.#send('response.output_text.done', { ...place, text, logprobs: JSON.stringify(part.logprobs) })
        : this.#send('response.refusal.done', { ...place, refusal: text })
    const closed = this.#send('response.content_part.done', { ...place, part: JSON.stringify(wire) })
    message.done.push(wire)
    message.part = undefined
    return done + closed
  }

  #thinkingDelta(text: string): string {
    let said = this.#openReasoning()
    const open = this.#open
    if (open?.kind !== 'reasoning') throw new Error('a reasoning item that takes a delta is not open')
    const place = summaryPlace(open)
    if (open.text === '') {
      const part = JSON.stringify({ type: 'summary_text', text: '' })
      said += this.#send('response.reasoning_summary_part.added', { ...place, part })
    }
    open.text += text
    return said + this.#send('response.reasoning_summary_text.delta', { ...place, delta: jsonText(text) })
  }

  #openReasoning(): string {
    if (this.#open?.kind === 'reasoning') return ''
    const closed = this.#closeOpen('completed')
    const item = this.#newItem('rs')
    this.#open = { ...item, kind: 'reasoning', text: '' }
    return closed + this.#added(item, reasoningItem(item.id, '', undefined))
  }

  /** Ends the open message or reasoning, if there is one. */
  #closeOpen(status: WireStatus, encrypted?: string): string {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return ''
    if (open.kind === 'message') {
      const closed = this.#closePart(open)
      return closed + this.#done(open, messageItem(open.id, status, open.done))
    }
    return this.#closeSummary(open) + this.#done(open, reasoningItem(open.id, open.text, encrypted))
  }

  #closeSummary(open: OpenReasoning): string {
    if (open.text === '') return ''
    const place = summaryPlace(open)
    const part = JSON.stringify({ type: 'summary_text', text: open.text })
    return (
      this.#send('response.reasoning_summary_text.done', { ...place, text: jsonText(open.text) }) +
      this.#send('response.reasoning_summary_part.done', { ...place, part })
    )
  }

  #toolStart({ index, id, name }: Of<'tool-start'>): string {
    const closed = this.#closeOpen('completed')
    const item = this.#newItem('fc')
    this.#calls.set(index, { ...item, callId: id, name, arguments: '' })
    const call = callItem({ id: item.id, status: 'in_progress', arguments: '', call_id: id, name })
    return closed + this.#added(item, call)
  }

  #toolDelta({ index, json }: Of<'tool-delta'>): string {
    const call = this.#calls.get(index)
    if (call === undefined) throw new Error(`a delta of tool call ${index} came before its start`)
    call.arguments += json
    const closed = this.#closeOpen('completed')
    return closed + this.#send('response.function_call_arguments.delta', { ...itemPlace(call), delta: jsonText(json) })
  }

  #closeCall(call: OpenCall, status: WireStatus): string {
    const { id, callId, name } = call
    const members = { ...itemPlace(call), name: jsonText(name), arguments: jsonText(call.arguments) }
    const done = this.#send('response.function_call_arguments.done', members)
    return done + this.#done(call, callItem({ id, status, arguments: call.arguments, call_id: callId, name }))
  }

  #finish({ stop, usage }: Of<'finish'>): string {
    const { status, reason } = endOf(stop, this.#refused)
    const last = this.#output.length - 1
    const statusOf = ({ index }: OpenItem): WireStatus => (index === last ? status : 'completed')
    let said = this.#open === undefined ? '' : this.#closeOpen(statusOf(this.#open))
    for (const call of this.#calls.values()) said += this.#closeCall(call, statusOf(call))
    const ended = { status, reason, output: this.#doneItems(), usage: usageText(usage) }
    const response = this.#write({ ...ended, diagnosis: this.#diagnosis })
    return said + this.#send(`response.${status}`, { response })
  }

  #newItem(prefix: 'msg' | 'rs' | 'fc'): OpenItem {
    const index = this.#output.push(undefined) - 1
    return { id: itemId(prefix, this.#context, index), index }
  }

  #added({ index }: OpenItem, item: WireItem): string {
    return this.#send('response.output_item.added', { output_index: String(index), item: JSON.stringify(item) })
  }

  #done({ index }: OpenItem, item: WireItem): string {
    const text = JSON.stringify(item)
    this.#output[index] = text
    return this.#send('response.output_item.done', { output_index: String(index), item: text })
  }

  #doneItems(): string[] {
    return this.#output.filter((item) => item !== undefined)
  }

  #partPlace(message: OpenMessage): Record<string, string> {
    return { ...itemPlace(message), content_index: String(message.done.length) }
  }

  /** Members are JSON text. */
  #send(type: string, members: Readonly<Record<string, string>>): string {
    let data = `{"type":"${type}","sequence_number":${this.#sequence++}`
    for (const [name, json] of Object.entries(members)) data += `,"${name}":${json}`
    return `event: ${type}\ndata: ${data}}\n\n`
  }
}

function itemPlace({ id, index }: OpenItem): Record<string, string> {
  return { item_id: jsonText(id), output_index: String(index) }
}

function summaryPlace(item: OpenItem): Record<string, string> {
  return { ...itemPlace(item), summary_index: '0' }
}
