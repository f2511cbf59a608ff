import type { AnswerEvent } from '../../domain/answer.ts'
import type { AnswerContext, StreamRenderer } from '../../domain/dialect.ts'
import type { IncipitError } from '../../domain/errors.ts'
import { wireStopReason } from '../shared/anthropic/stop-reasons.ts'
import { deltaUsage, messageUsage } from '../shared/anthropic/wire-usage.ts'
import { jsonObject, jsonText } from '../shared/write-json.ts'
import { wireError } from './errors.ts'
import { diagnostics, messageId } from './render.ts'

/** A streamed answer: `message_start`, blocks that begin, grow and end, `message_delta`, `message_stop`. */
export function stream(context: AnswerContext): StreamRenderer {
  return new MessageStream(context)
}

type EventOf<K extends AnswerEvent['kind']> = Extract<AnswerEvent, { kind: K }>
type GrowingKind = 'text' | 'thinking' | 'tool_use'

class MessageStream implements StreamRenderer {
  readonly #context: AnswerContext
  /** The block that grows; blocks come one after the other. */
  #open: { readonly kind: GrowingKind; readonly index: number } | undefined
  #blocks = 0
  /** Blocks of tool calls by the calls' own index. */
  readonly #tools = new Map<number, number>()

  constructor(context: AnswerContext) {
    this.#context = context
  }

  event(event: AnswerEvent): string {
    switch (event.kind) {
      case 'start':
        return sse('message_start', `"message":${this.#message(event)}`)
      case 'text-delta':
      case 'refusal-delta':
        return this.#grow('text', event.text, '"type":"text","text":""', 'text_delta","text')
      case 'thinking-delta':
        return this.#grow('thinking', event.text, emptyThinking, 'thinking_delta","thinking')
      case 'thinking-signature':
        // It ends its block: what is thought after it is another one.
        return (
          this.#begin('thinking', emptyThinking) +
          this.#delta('signature_delta","signature', event.signature) +
          this.#close()
        )
      case 'redacted-thinking':
        return (
          this.#close() +
          this.#start(`"type":"redacted_thinking","data":${jsonText(event.data)}`) +
          this.#stop(this.#blocks - 1)
        )
      case 'tool-start':
        return this.#startTool(event)
      case 'tool-delta':
        return this.#growTool(event)
      case 'ping':
        return sse('ping', '')
      default:
        return this.#close() + this.#finish(event)
    }
  }

  error(error: IncipitError): string {
    return `event: error\ndata: ${JSON.stringify(wireError(error, this.#context.id))}\n\n`
  }

  #message({ id, usage, diagnosis }: EventOf<'start'>): string {
    return jsonObject([
      ['id', jsonText(messageId(id, this.#context))],
      ['type', '"message"'],
      ['role', '"assistant"'],
      ['model', jsonText(this.#context.model)],
      ['content', '[]'],
      ['stop_reason', 'null'],
      ['stop_sequence', 'null'],
      ['usage', messageUsage(usage)],
      ['diagnostics', diagnostics(diagnosis)],
    ])
  }

  #finish({ stop, stopSequence, usage }: EventOf<'finish'>): string {
    const delta = jsonObject([
      ['stop_reason', jsonText(wireStopReason(stop))],
      ['stop_sequence', jsonText(stopSequence) ?? 'null'],
    ])
    return sse('message_delta', `"delta":${delta},"usage":${deltaUsage(usage)}`) + sse('message_stop', '')
  }

  #startTool({ index, id, name }: EventOf<'tool-start'>): string {
    const closed = this.#close()
    this.#tools.set(index, this.#blocks)
    const block = `"type":"tool_use","id":${jsonText(id)},"name":${jsonText(name)},"input":{}`
    return closed + this.#begin('tool_use', block)
  }

  /** Calls that grow by turns: the official client adds by index, also to a block that has ended. */
  #growTool({ index, json }: EventOf<'tool-delta'>): string {
    const block = this.#tools.get(index)
    if (json === '' || block === undefined) return ''
    return delta(block, 'input_json_delta","partial_json', json)
  }

  #grow(kind: GrowingKind, text: string, block: string, typed: string): string {
    return text === '' ? '' : this.#begin(kind, block) + this.#delta(typed, text)
  }

  /** Opens a block unless one of its kind is open. */
  #begin(kind: GrowingKind, block: string): string {
    if (this.#open?.kind === kind) return ''
    const closed = this.#close()
    this.#open = { kind, index: this.#blocks }
    return closed + this.#start(block)
  }

  #start(block: string): string {
    return sse('content_block_start', `"index":${this.#blocks++},"content_block":{${block}}`)
  }

  #delta(typed: string, text: string): string {
    return this.#open === undefined ? '' : delta(this.#open.index, typed, text)
  }

  #close(): string {
    const open = this.#open
    this.#open = undefined
    return open === undefined ? '' : this.#stop(open.index)
  }

  #stop(index: number): string {
    return sse('content_block_stop', `"index":${index}`)
  }
}

const emptyThinking = '"type":"thinking","thinking":"","signature":""'

/** `typed`: the delta's type and the member that holds its text. */
function delta(index: number, typed: string, text: string): string {
  return sse('content_block_delta', `"index":${index},"delta":{"type":"${typed}":${jsonText(text)}}`)
}

function sse(type: string, members: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${members === '' ? '' : `,${members}`}}\n\n`
}
