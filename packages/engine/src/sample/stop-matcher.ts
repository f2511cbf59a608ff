import { IncipitError } from '@incipit/core'

/** Finds one stop string, one UTF-16 unit at a time: the automaton of Knuth, Morris and Pratt. */
export class StopMatcher {
  readonly length: number
  readonly #text: string
  /** Per length of a matched start: the longest shorter one that is also its end. */
  readonly #borders: Int32Array
  #open = 0

  /**
   * @param index its place among the stop strings, for the error
   * @throws IncipitError `invalid_request` when it is empty
   */
  constructor(text: string, index: number) {
    const param = `/stop/${index}`
    if (text === '') throw new IncipitError('invalid_request', `${param} has 0 characters, 1 needed`, { param })
    this.#text = text
    this.length = text.length
    this.#borders = bordersOf(text)
  }

  /** How many units at the end of the text could begin this stop string. */
  get open(): number {
    return this.#open
  }

  /** True when this unit completes the stop string. */
  advance(unit: number): boolean {
    let open = this.#open
    while (open > 0 && this.#text.charCodeAt(open) !== unit) open = this.#borders[open] as number
    if (this.#text.charCodeAt(open) === unit) open++
    const complete = open === this.length
    this.#open = complete ? (this.#borders[open] as number) : open
    return complete
  }
}

function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length + 1)
  let border = 0
  for (let index = 1; index < text.length; index++) {
    while (border > 0 && text[border] !== text[index]) border = borders[border] as number
    if (text[border] === text[index]) border++
    borders[index + 1] = border
  }
  return borders
}
