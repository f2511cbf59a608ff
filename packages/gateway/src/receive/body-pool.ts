/** Smaller bodies are not worth it; larger ones are rare, and would hold memory for nothing. */
const leastBytes = 2 ** 17
const mostBytes = 2 ** 22
/** Memory kept for bodies to come. */
const keptBytes = 2 ** 26

/**
 * Memory in which bodies are read, taken and given back: fresh memory of that size costs several times what is
 * done in it. Nothing in it may ever be handed to a socket, which keeps what it has not sent yet, or be read
 * after it was given back.
 *
 * @example const whole = pool.take(300_000); ...; pool.give(whole)
 */
export class BodyPool {
  readonly #free = new Map<number, Buffer[]>()
  #kept = 0

  /** Exactly so many bytes, with whatever stands in them. */
  take(bytes: number): Buffer {
    const size = sizeFor(bytes)
    if (size === undefined) return Buffer.allocUnsafeSlow(bytes)
    const block = this.#free.get(size)?.pop()
    if (block === undefined) return Buffer.allocUnsafeSlow(size).subarray(0, bytes)
    this.#kept -= size
    return block.subarray(0, bytes)
  }

  /** Takes memory back that `take` gave; nobody may use it any longer. */
  give(taken: Buffer): void {
    const size = taken.buffer.byteLength
    if (sizeFor(size) !== size || this.#kept + size > keptBytes) return
    const free = this.#free.get(size)
    const block = Buffer.from(taken.buffer)
    if (free === undefined) this.#free.set(size, [block])
    else free.push(block)
    this.#kept += size
  }
}

/** The next power of two; `undefined` beyond what is pooled. */
function sizeFor(bytes: number): number | undefined {
  if (bytes <= leastBytes / 2 || bytes > mostBytes) return undefined
  return Math.max(leastBytes, 2 ** Math.ceil(Math.log2(bytes)))
}
