/** What the module exports: see `packages/core/wasm/scan.ts`. */
export interface ScannerExports {
  readonly scan: (body: number, length: number, maxDepth: number, tape: number) => number
  readonly memory: WasmMemory
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
  readonly grow: (pages: number) => number
}

/** Where the body stands in memory: behind the containers that are open, 4 bytes for each level. */
const bodyStart = 1024
const deepest = bodyStart / 4 - 4
const pageBytes = 65_536

/** A body that leaves no more than half of the memory for its tape would often be tried in vain. */
const largestBody = 8 * 1024 * 1024

/**
 * One instance of the module and its memory, which grows up to 16 MiB and is kept: it holds the body of the
 * last scan, of whatever tenant, until the next. A scan runs from copy to copy without a break, and gives
 * away only what it wrote itself.
 */
export class WasmScanner {
  readonly #exports: ScannerExports
  #bytes: Uint8Array = new Uint8Array()
  #words: Int32Array = new Int32Array()

  constructor(exports: ScannerExports) {
    this.#exports = exports
  }

  /** Bytes of memory, 16 MiB at most. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength
  }

  /** @returns a tape of its own, `undefined` where the text is not valid or beyond what fits here */
  scan(bytes: Uint8Array, maxDepth: number): Int32Array | undefined {
    if (bytes.length > largestBody || maxDepth > deepest) return undefined
    // Zero bytes end the body, and the tape begins at a multiple of 16.
    const tapeStart = (bodyStart + bytes.length + 64 + 15) & ~15
    this.#reserve(tapeStart + pageBytes)
    this.#bytes.set(bytes, bodyStart)
    const length = this.#exports.scan(bodyStart, bytes.length, maxDepth, tapeStart)
    if (length === 0) return undefined
    this.#look()
    return this.#words.slice(tapeStart / 4, tapeStart / 4 + length)
  }

  #reserve(bytes: number): void {
    const missing = bytes - this.memoryBytes
    if (missing > 0) this.#exports.memory.grow(Math.ceil(missing / pageBytes))
    this.#look()
  }

  /** Memory that grows, also while it scans, has another buffer, and the old one is empty. */
  #look(): void {
    const { buffer } = this.#exports.memory
    if (this.#bytes.buffer === buffer) return
    this.#bytes = new Uint8Array(buffer)
    this.#words = new Int32Array(buffer)
  }
}
