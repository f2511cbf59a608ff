import type { CallEvent } from './call-scan.ts'
import { CallScan } from './call-scan.ts'
import type { CallStyle } from './call-style.ts'

/** What a piece of an answer is. */
export type OutputEvent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'thinking'; readonly text: string }
  | CallEvent

/** What marks parts of an answer that are no text. */
export interface OutputMarks {
  /** Calls are looked for; `undefined` = there are no tools to call. */
  readonly calls: CallStyle | undefined
  /** The answer may begin with thinking: tags around it; `begun` = the prompt has the first one already. */
  readonly thinking: { readonly open: string; readonly close: string; readonly begun: boolean } | undefined
  /** The answer is written in channels, which tell all of this instead (`ChannelScan`). */
  readonly channels?: boolean | undefined
}

/** Tells text, thinking and calls of an answer apart, in pieces cut anywhere. Holds back only what may be a mark. */
export class OutputScan {
  readonly #marks: OutputMarks
  #mode: 'start' | 'thinking' | 'text' | 'calls'
  #held = ''
  #behindTrigger = ''
  /** White space comes from around a tag and is dropped. */
  #skipsSpace = false
  #calls: CallScan | undefined

  constructor(marks: OutputMarks) {
    this.#marks = marks
    this.#mode = marks.thinking === undefined ? 'text' : marks.thinking.begun ? 'thinking' : 'start'
  }

  /** Whether the answer is calling tools now. */
  get calling(): boolean {
    return this.#mode === 'calls'
  }

  /** Of calls: their trigger, and what came with it. */
  get written(): string {
    return (this.#marks.calls?.trigger ?? '') + this.#behindTrigger
  }

  push(piece: string): OutputEvent[] {
    if (this.#calls !== undefined) return this.#calls.push(piece)
    this.#held += piece
    if (this.#skipsSpace) this.#skipSpace()
    const events: OutputEvent[] = []
    while (this.#step(events));
    return events
  }

  /** What was held back, once nothing more comes. */
  end(): OutputEvent[] {
    const rest = this.#held
    this.#held = ''
    if (rest === '') return []
    return [{ kind: this.#mode === 'thinking' ? 'thinking' : 'text', text: rest }]
  }

  /** False when more text is needed. */
  #step(events: OutputEvent[]): boolean {
    const { calls, thinking } = this.#marks
    switch (this.#mode) {
      case 'start':
        return this.#start(thinking?.open ?? '')
      case 'thinking':
        if (!this.#upTo(thinking?.close ?? '', 'thinking', events)) return false
        this.#mode = 'text'
        this.#skipSpace()
        return true
      case 'text':
        if (calls === undefined) {
          if (this.#held !== '') events.push({ kind: 'text', text: this.#held })
          this.#held = ''
          return false
        }
        if (!this.#upTo(calls.trigger, 'text', events)) return false
        this.#mode = 'calls'
        this.#calls = new CallScan(calls)
        this.#behindTrigger = this.#held
        events.push(...this.#calls.push(this.#held))
        this.#held = ''
        return false
      case 'calls':
      default:
        return false
    }
  }

  #start(open: string): boolean {
    const text = this.#held.replace(/^\s+/, '')
    if (text.length < open.length && open.startsWith(text)) return false
    this.#mode = text.startsWith(open) ? 'thinking' : 'text'
    if (this.#mode === 'text') return true
    this.#held = text.slice(open.length)
    this.#skipSpace()
    return true
  }

  #skipSpace(): void {
    this.#held = this.#held.trimStart()
    this.#skipsSpace = this.#held === ''
  }

  /** Lets everything before `mark` go; true when it was there, and it is taken out then. */
  #upTo(mark: string, kind: 'text' | 'thinking', events: OutputEvent[]): boolean {
    const at = this.#held.indexOf(mark)
    const end = at === -1 ? this.#held.length - partialMark(this.#held, mark) : at
    if (end > 0) events.push({ kind, text: this.#held.slice(0, end) })
    this.#held = this.#held.slice(at === -1 ? end : at + mark.length)
    return at !== -1
  }
}

/** How many units at the end of a text could begin the mark. */
function partialMark(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--) {
    if (mark.startsWith(text.slice(-length))) return length
  }
  return 0
}
