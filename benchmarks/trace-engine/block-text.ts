import type { GenerationRequest } from '@incipit/core'
import type { Model } from '@incipit/engine/native'
import { requestOf } from '@incipit/engine/bench'
import { seededRandom } from '../gateway/seeded-random.ts'

/** Tokens of a block of the engine. */
export const engineBlock = 64

type Tokenise = (request: GenerationRequest) => Int32Array

/**
 * Text for blocks of a trace: each number stands for words of its own that are exactly one block of tokens, and where a
 * block begins in the text, one begins in the prompt.
 */
export class BlockText {
  readonly #words: readonly string[]
  readonly #system: string
  readonly #tokenise: Tokenise
  /** Tokens before the first block and behind the last one. */
  readonly opening: number
  readonly ending: number

  /** @throws Error where a model has no words of one token each, or its template cannot be filled up to a block */
  constructor(model: Model, tokenise: Tokenise) {
    this.#tokenise = tokenise
    this.#words = wordsOf(model)
    const around = this.#length(this.#words[0] ?? '', '')
    const user = this.#words.slice(0, 4).join('')
    const system = Array.from({ length: engineBlock }, (_, count) => this.#words.slice(1, 2 + count).join(''))
    const base = tokenise(requestOf({ system: system[0] ?? '', user: '' }))
    const withUser = tokenise(requestOf({ system: system[0] ?? '', user }))
    this.ending = commonEnd(base, withUser)
    const missing = engineBlock - ((around - this.ending) % engineBlock)
    this.#system = this.#words.slice(0, 1 + (missing % engineBlock)).join('')
    this.opening = this.#length(this.#system, '') - this.ending
    if (this.opening % engineBlock !== 0)
      throw new Error(`${this.opening} tokens open a prompt, no multiple of ${engineBlock}`)
  }

  /**
   * The request of a chain of blocks.
   * @throws Error where its tokens are not those of whole blocks
   */
  request(chain: Int32Array): GenerationRequest {
    const user = [...chain].map((block) => this.#block(block)).join('')
    const request = requestOf({ system: this.#system, user })
    const expected = this.opening + chain.length * engineBlock + this.ending
    const seen = this.#tokenise(request).length
    if (seen !== expected) throw new Error(`${chain.length} blocks are ${seen} tokens, ${expected} expected`)
    return request
  }

  #block(number: number): string {
    const next = seededRandom(number + 1)
    const word = (): string => this.#words[Math.floor(next() * this.#words.length)] ?? ''
    return Array.from({ length: engineBlock }, word).join('')
  }

  #length(system: string, user: string): number {
    return this.#tokenise(requestOf({ system, user })).length
  }
}

/** Words with a space in front that are one token each, wherever they stand. */
function wordsOf(model: Model): string[] {
  const decoder = new TextDecoder()
  const words = Array.from({ length: model.facts.vocabularySize }, (_, token) =>
    decoder.decode(model.tokenBytes(token)),
  )
  const plain = words.filter((word) => /^ [a-z]{2,}$/.test(word))
  if (plain.length < 256) throw new Error(`${plain.length} words of one token, at least 256 needed`)
  return plain
}

function commonEnd(a: Int32Array, b: Int32Array): number {
  let count = 0
  while (count < a.length && a.at(-1 - count) === b.at(-1 - count)) count++
  return count
}
