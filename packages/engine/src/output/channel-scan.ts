import type { OutputEvent } from './output-scan.ts'

/** Control tokens around the messages of an answer in channels, as gpt-oss writes them. */
export const channelMarks = ['<|start|>', '<|channel|>', '<|constrain|>', '<|message|>', '<|end|>'] as const

const body = '<|message|>'
const end = '<|end|>'
/** Characters of a head; what is longer is none. */
const longestHead = 256

/**
 * Tells text, thinking and calls of an answer in channels apart, in pieces cut anywhere: a head says which channel a
 * message is in, and to whom. `analysis` is thinking, what goes to a function is a call, the rest is text.
 *
 * @example new ChannelScan().push('<|channel|>final<|message|>Hi') // [{ kind: 'text', text: 'Hi' }]
 */
export class ChannelScan {
  #held = ''
  /** Of the message under way; `undefined` = its head is not complete. */
  #kind: 'text' | 'thinking' | 'call' | undefined
  #calls = 0

  /** Whether the answer is calling tools now. */
  get calling(): boolean {
    return this.#kind === 'call'
  }

  /** No grammar goes on from within a call. */
  get written(): undefined {
    return undefined
  }

  push(piece: string): OutputEvent[] {
    this.#held += piece
    const events: OutputEvent[] = []
    while (this.#kind === undefined ? this.#head(events) : this.#body(events));
    return events
  }

  /** What was held back, once nothing more comes; a head that breaks off says nothing. */
  end(): OutputEvent[] {
    const rest = this.#held
    this.#held = ''
    if (this.#kind === undefined && /<\||to=/.test(rest)) return []
    return rest === '' ? [] : [this.#event(rest)]
  }

  /** False when more text is needed. */
  #head(events: OutputEvent[]): boolean {
    const at = this.#held.indexOf(body)
    if (at === -1) {
      if (this.#held.length <= longestHead) return false
      this.#kind = 'text'
      return true
    }
    const head = this.#held.slice(0, at)
    this.#held = this.#held.slice(at + body.length)
    const name = /to=functions\.([^\s<]+)/.exec(head)?.[1]
    if (name !== undefined) events.push({ kind: 'tool-start', index: this.#calls++, name })
    this.#kind = name !== undefined ? 'call' : head.includes('<|channel|>analysis') ? 'thinking' : 'text'
    return true
  }

  #body(events: OutputEvent[]): boolean {
    const at = this.#held.indexOf(end)
    const length = at === -1 ? this.#held.length - begunMark(this.#held) : at
    if (length > 0) events.push(this.#event(this.#held.slice(0, length)))
    this.#held = this.#held.slice(at === -1 ? length : at + end.length)
    if (at === -1) return false
    this.#kind = undefined
    return true
  }

  #event(text: string): OutputEvent {
    if (this.#kind === 'call') return { kind: 'tool-delta', index: this.#calls - 1, json: text }
    return { kind: this.#kind ?? 'text', text }
  }
}

/** How many units at the end of a text could begin the mark that ends a message. */
function begunMark(text: string): number {
  for (let length = Math.min(text.length, end.length - 1); length > 0; length--) {
    if (end.startsWith(text.slice(-length))) return length
  }
  return 0
}
