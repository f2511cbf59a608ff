import { StopMatcher } from './stop-matcher.ts'

/** Text that may leave, and whether a stop string ended it. */
export interface ScannedText {
  readonly text: string
  readonly stopped: boolean
}

/**
 * Finds the stop string that begins earliest in text that arrives in pieces, the same one however it is
 * cut. Holds back only what could still become one; the stop string itself never leaves. Time is linear
 * in the text.
 *
 * @example
 * const scan = new StopScan(['\n\nHuman:'])
 * scan.push('Hi.\n') // { text: 'Hi.', stopped: false }
 * scan.push('Bye') // { text: '\nBye', stopped: false }
 */
export class StopScan {
  readonly #matchers: readonly StopMatcher[]
  /** Pieces that have not left, from `#first` on: one string would be copied with each of them. */
  #held: string[] = []
  #first = 0
  /** Where the earliest match found so far begins; a longer one that began before it may still win. */
  #matchAt: number | undefined
  /** UTF-16 units pushed, and of those, units that left. */
  #read = 0
  #sent = 0
  #stopped = false

  /** @throws IncipitError `invalid_request` when a stop string is empty */
  constructor(stops: readonly string[]) {
    this.#matchers = stops.map((stop, index) => new StopMatcher(stop, index))
  }

  /** Takes the next piece. Behind a stop string all further text is dropped. */
  push(piece: string): ScannedText {
    if (this.#matchers.length === 0) return { text: piece, stopped: false }
    if (this.#stopped) return { text: '', stopped: true }
    if (piece !== '') this.#held.push(piece)
    for (let index = 0; index < piece.length; index++) {
      this.#advance(piece.charCodeAt(index))
      if (this.#matchAt !== undefined && this.#openAt() >= this.#matchAt) return this.#stop(this.#matchAt)
    }
    return { text: this.#take(this.#openAt()), stopped: false }
  }

  /** What was held back, once nothing more comes: as far as a stop string, or all of it. */
  end(): ScannedText {
    if (this.#stopped) return { text: '', stopped: true }
    if (this.#matchAt !== undefined) return this.#stop(this.#matchAt)
    return { text: this.#take(this.#read), stopped: false }
  }

  #advance(unit: number): void {
    this.#read++
    for (const matcher of this.#matchers) {
      if (!matcher.advance(unit)) continue
      const start = this.#read - matcher.length
      if (this.#matchAt === undefined || start < this.#matchAt) this.#matchAt = start
    }
  }

  /** Where the earliest stop string that could still be completed begins. */
  #openAt(): number {
    let longest = 0
    for (const matcher of this.#matchers) if (matcher.open > longest) longest = matcher.open
    return this.#read - longest
  }

  #stop(at: number): ScannedText {
    const text = this.#take(at)
    this.#stopped = true
    this.#held = []
    this.#first = 0
    return { text, stopped: true }
  }

  /** Lets go of the text before `position`. */
  #take(position: number): string {
    let text = ''
    while (this.#sent < position) {
      const piece = this.#held[this.#first] as string
      const part = piece.slice(0, position - this.#sent)
      if (part.length === piece.length) this.#first++
      else this.#held[this.#first] = piece.slice(part.length)
      text += part
      this.#sent += part.length
    }
    this.#compact()
    return text
  }

  /** Drops what left once it is the larger part: each piece then moves only a few times. */
  #compact(): void {
    if (this.#first * 2 < this.#held.length) return
    this.#held.splice(0, this.#first)
    this.#first = 0
  }
}
