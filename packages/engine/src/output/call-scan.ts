import type { CallStyle } from './call-style.ts'
import { JsonValueScan } from './json-value-scan.ts'
import { looseMatch } from './loose-match.ts'

/** What a piece of calls says. */
export type CallEvent =
  | { readonly kind: 'tool-start'; readonly index: number; readonly name: string }
  | { readonly kind: 'tool-delta'; readonly index: number; readonly json: string }

/**
 * Reads calls as a grammar of `callGrammar` makes them, in pieces cut anywhere: names as soon as they are complete,
 * arguments as they come.
 */
export class CallScan {
  readonly #style: CallStyle
  #state: 'before-name' | 'name' | 'arguments' | 'behind' = 'before-name'
  #expected: string
  #held = ''
  #index = -1
  #value = new JsonValueScan()

  /** @param style how calls are written; the first text is what follows its trigger */
  constructor(style: CallStyle) {
    this.#style = style
    this.#expected = style.open + style.beforeName
  }

  push(text: string): CallEvent[] {
    this.#held += text
    const events: CallEvent[] = []
    while (this.#step(events));
    return events
  }

  /** False when more text is needed. */
  #step(events: CallEvent[]): boolean {
    switch (this.#state) {
      case 'before-name':
        return this.#take(this.#expected, 'name')
      case 'name':
        return this.#name(events)
      case 'arguments':
        return this.#arguments(events)
      case 'behind':
      default:
        return this.#take(this.#style.behindArguments + this.#style.between + this.#style.beforeName, 'name')
    }
  }

  /** Passes over text that is known beforehand. */
  #take(expected: string, next: 'name'): boolean {
    const match = looseMatch(expected, this.#held)
    if (match === undefined || expected.slice(match.expected).trim() !== '') return false
    this.#held = this.#held.slice(match.read)
    this.#state = next
    return true
  }

  #name(events: CallEvent[]): boolean {
    const name = /^\s*"(?:[^"\\]|\\.)*"/s.exec(this.#held)?.[0]
    const length = (name?.length ?? Infinity) + this.#style.beforeArguments.length
    if (name === undefined || this.#held.length < length) return false
    this.#held = this.#held.slice(length)
    this.#index++
    events.push({ kind: 'tool-start', index: this.#index, name: JSON.parse(name) as string }) // a JSON string
    this.#value = new JsonValueScan()
    this.#state = 'arguments'
    return true
  }

  #arguments(events: CallEvent[]): boolean {
    if (this.#held === '') return false
    const { length, done } = this.#value.push(this.#held)
    if (length > 0) events.push({ kind: 'tool-delta', index: this.#index, json: this.#held.slice(0, length) })
    this.#held = this.#held.slice(length)
    if (done) this.#state = 'behind'
    return done
  }
}
