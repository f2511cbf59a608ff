interface Entry {
  readonly tokens: Int32Array
  readonly bytes: number
}

/** Tokens of texts seen lately; the least recently used go first once `maxBytes` are held. */
export class TokenMemo {
  readonly #maxBytes: number
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes held: two per character, four per token. */
  get bytes(): number {
    return this.#bytes
  }

  /** The tokens of `text`, made by `tokenize` when they are not held. They must not be changed. */
  get(text: string, tokenize: (text: string) => Int32Array): Int32Array {
    const held = this.#entries.get(text)
    if (held !== undefined) {
      // A map keeps its order of insertion: put back, this is the newest.
      this.#entries.delete(text)
      this.#entries.set(text, held)
      return held.tokens
    }
    const tokens = tokenize(text)
    this.#add(text, { tokens, bytes: 2 * text.length + 4 * tokens.length })
    return tokens
  }

  #add(text: string, entry: Entry): void {
    if (entry.bytes > this.#maxBytes) return
    this.#entries.set(ownCopy(text), entry)
    this.#bytes += entry.bytes
    for (const [oldest, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break
      this.#entries.delete(oldest)
      this.#bytes -= bytes
    }
  }
}

/** A part of a text keeps all of that text in memory, here a whole prompt for each of its messages: a copy does not. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
