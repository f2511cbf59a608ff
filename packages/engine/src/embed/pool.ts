import { IncipitError } from '@incipit/core'
import type { ModelFacts } from '../native/contract.ts'

/** Makes one vector of the vectors of tokens, as the model was trained: their mean, the last one, or the first. */
export class Pool {
  readonly #pooling: ModelFacts['pooling']
  readonly #sum: Float64Array
  #count = 0

  constructor({ width, pooling }: Pick<ModelFacts, 'width' | 'pooling'>) {
    this.#pooling = pooling
    this.#sum = new Float64Array(width)
  }

  /** Whether the vector of the token at this position counts. */
  wants(position: number, isLast: boolean): boolean {
    if (this.#pooling === 'mean') return true
    return this.#pooling === 'first' ? position === 0 : isLast
  }

  add(vector: Float32Array): void {
    for (let index = 0; index < this.#sum.length; index++) {
      this.#sum[index] = (this.#sum[index] as number) + (vector[index] as number)
    }
    this.#count++
  }

  /**
   * The vector, of length 1.
   * @throws IncipitError `engine_failed` where it has no direction
   */
  finish(): Float32Array {
    const length = Math.hypot(...this.#sum)
    if (!(length > 0 && length < Infinity)) {
      throw new IncipitError('engine_failed', `the embedding of ${this.#count} tokens has the length ${length}`)
    }
    return Float32Array.from(this.#sum, (value) => value / length)
  }
}
