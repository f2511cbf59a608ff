import { addressOf } from './bindings.ts'
import type { Pointer } from './bindings.ts'
import type { Batch } from './contract.ts'

/** The memory of one `llama_batch`: filled in place by the caller, read in place by llama.cpp. */
export class NativeBatch implements Batch {
  readonly capacity: number
  readonly tokens: Int32Array
  readonly positions: Int32Array
  readonly sequences: Int32Array
  readonly wantsLogits: Int8Array
  /** The struct passed to `llama_decode`; only `n_tokens` changes. */
  readonly struct: { n_tokens: number } & Record<string, Pointer | number | null>
  /** Referenced for as long as the struct points at them. */
  readonly #sequenceCounts: Int32Array
  readonly #sequencePointers: BigUint64Array

  constructor(capacity: number) {
    this.capacity = capacity
    this.tokens = int32s(capacity)
    this.positions = int32s(capacity)
    this.sequences = int32s(capacity)
    this.wantsLogits = new Int8Array(new ArrayBuffer(capacity))
    this.#sequenceCounts = int32s(capacity).fill(1)
    // llama.cpp wants a list of sequence ids per token: each list is one entry of `sequences`.
    this.#sequencePointers = new BigUint64Array(new ArrayBuffer(8 * capacity))
    const first = addressOf(this.sequences)
    for (let index = 0; index < capacity; index++) this.#sequencePointers[index] = first + BigInt(4 * index)
    this.struct = {
      n_tokens: 0,
      token: addressOf(this.tokens),
      embd: null,
      pos: addressOf(this.positions),
      n_seq_id: addressOf(this.#sequenceCounts),
      seq_id: addressOf(this.#sequencePointers),
      logits: addressOf(this.wantsLogits),
    }
  }
}

/** With a buffer of its own: V8 may move small typed arrays that have none. */
function int32s(length: number): Int32Array {
  return new Int32Array(new ArrayBuffer(4 * length))
}
