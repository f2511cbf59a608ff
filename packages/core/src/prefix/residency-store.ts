import type { EpochMs } from '../domain/units.ts'
import { none } from './node-store.ts'

/**
 * Which replica holds which node until when: records in parallel arrays, one list per node whose
 * head stands in `firstResidency` of the node store. Bounded: with no record free, a node replaces
 * the one of its own that ends first, and a node without any goes without (counted in `dropped`).
 */
export class ResidencyStore {
  readonly #first: Int32Array
  readonly #replica: Int32Array
  readonly #until: Float64Array
  readonly #next: Int32Array
  #firstFree: number = none
  #untouched = 0
  /** Residencies that found no room. */
  dropped = 0

  constructor(first: Int32Array, capacity: number) {
    this.#first = first
    this.#replica = new Int32Array(capacity)
    this.#until = new Float64Array(capacity)
    this.#next = new Int32Array(capacity)
  }

  /** Notes that `replica` holds `node` until `until`; a later end wins. Records that ended by `at` are reused. */
  hold(node: number, replica: number, times: { readonly at: EpochMs; readonly until: EpochMs }): void {
    let spare: number = none
    let soonest: number = none
    for (let record = this.#head(node); record !== none; record = this.#next[record] ?? none) {
      const until = this.#until[record] ?? 0
      if (this.#replica[record] === replica) {
        this.#until[record] = Math.max(until, times.until)
        return
      }
      if (until <= times.at) spare = record
      if (soonest === none || until < (this.#until[soonest] ?? 0)) soonest = record
    }
    const record = spare === none ? this.#link(node, soonest) : spare
    if (record === none) {
      this.dropped += 1
      return
    }
    this.#replica[record] = replica
    this.#until[record] = times.until
  }

  /** Calls `visit` for every residency of a node that has not ended by `at`. */
  visit(node: number, at: EpochMs, visit: (replica: number, until: EpochMs) => void): void {
    for (let record = this.#head(node); record !== none; record = this.#next[record] ?? none) {
      const until = this.#until[record] ?? 0
      if (until > at) visit(this.#replica[record] ?? none, until as EpochMs)
    }
  }

  /** Ends what one replica holds of a node: it restarted, or said that it evicted. */
  release(node: number, replica: number): void {
    for (let record = this.#head(node); record !== none; record = this.#next[record] ?? none) {
      if (this.#replica[record] === replica) this.#until[record] = 0
    }
  }

  /** Gives back the records of a node that goes. */
  clear(node: number): void {
    let record = this.#head(node)
    while (record !== none) {
      const next = this.#next[record] ?? none
      this.#next[record] = this.#firstFree
      this.#firstFree = record
      record = next
    }
    this.#first[node] = none
  }

  #head(node: number): number {
    return this.#first[node] ?? none
  }

  /** A new record in the node's list, or `instead` when none is free. */
  #link(node: number, instead: number): number {
    let record = this.#firstFree
    if (record !== none) this.#firstFree = this.#next[record] ?? none
    else if (this.#untouched < this.#replica.length) record = this.#untouched++
    else return instead
    this.#next[record] = this.#head(node)
    this.#first[node] = record
    return record
  }
}
