import { createHash } from 'node:crypto'

interface Entry<Value> {
  readonly value: Value
  readonly bytes: number
}

/** Grammars made lately, by what they are made of; the least recently used go first once `maxBytes` are held. */
export class GrammarMemo<Value> {
  readonly #maxBytes: number
  readonly #entries = new Map<string, Entry<Value>>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#entries.size
  }

  /** What is made of `parts`; `make` is called when it is not held, and says how large it is. */
  get(parts: readonly string[], make: () => Entry<Value>): Value {
    const key = keyOf(parts)
    const entry = this.#entries.get(key) ?? make()
    // A map keeps its order of insertion: put back, this is the newest.
    if (this.#entries.delete(key)) this.#bytes -= entry.bytes
    if (entry.bytes > this.#maxBytes) return entry.value
    this.#entries.set(key, entry)
    this.#bytes += entry.bytes
    for (const [oldest, { bytes }] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break
      this.#entries.delete(oldest)
      this.#bytes -= bytes
    }
    return entry.value
  }
}

/** Parts of other lengths are other keys, whatever is in them. */
function keyOf(parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part.length}:`).update(part)
  return hash.digest('base64')
}
