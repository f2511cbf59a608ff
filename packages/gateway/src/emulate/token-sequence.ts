import { createHash } from 'node:crypto'
import { bytesPerToken, countTokens } from './count-tokens.ts'

interface Item {
  readonly label: string
  readonly bytes: Buffer
  readonly start: number
  readonly tokens: number
  /** All of it or nothing: an image has no half. */
  readonly whole: boolean
}

/** A prompt as counted tokens, four bytes each, whose beginnings can be hashed at any token. */
export class TokenSequence {
  readonly #items: Item[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Appends text: a token for every four bytes. */
  add(label: string, text: string): void {
    this.#push({ label, bytes: Buffer.from(text), start: this.#length, tokens: countTokens(text), whole: false })
  }

  /** Appends something that counts a fixed number of tokens, whatever its size. */
  addWhole(label: string, content: string, tokens: number): void {
    this.#push({ label, bytes: Buffer.from(content), start: this.#length, tokens, whole: true })
  }

  /**
   * The hash of the first tokens, for each of the rising positions.
   * @example sequence.hashes('org', [16, 32])
   */
  hashes(seed: string, positions: readonly number[]): readonly string[] {
    const hash = createHash('sha256').update(`${Buffer.byteLength(seed)}:${seed}`)
    let at = 0
    let done = 0
    return positions.map((position) => {
      for (let item = this.#items[at]; item !== undefined && item.start < position; item = this.#items[at]) {
        // 0xff is in no UTF-8 text: a label cannot be mistaken for content.
        if (done === 0) hash.update(Buffer.from([0xff])).update(`${item.label}:`)
        const part = partOf(item, position)
        hash.update(part.subarray(done))
        done = Math.max(part.length, 1)
        if (item.start + item.tokens > position) break
        at += 1
        done = 0
      }
      return hash.copy().update(`@${position}`).digest('hex')
    })
  }

  /** The hash of everything. */
  hash(seed: string): string {
    return this.hashes(seed, [this.#length])[0] ?? ''
  }

  #push(item: Item): void {
    this.#items.push(item)
    this.#length += item.tokens
  }
}

function partOf({ bytes, start, tokens, whole }: Item, position: number): Buffer {
  return whole || start + tokens <= position ? bytes : bytes.subarray(0, (position - start) * bytesPerToken)
}
