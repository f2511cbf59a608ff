import { picoUsd, usd } from '@incipit/core'
import type { Counter } from 'prom-client'

/**
 * A sum that a counter takes over when somebody looks. What was never reported is not zero: it makes no series.
 * @example tally.add(event.inputTokens); tally.settle()
 */
export class Tally {
  #sum: number | undefined
  readonly #counter: Counter.Internal

  constructor(counter: Counter.Internal) {
    this.#counter = counter
  }

  add(amount: number | undefined): void {
    if (amount !== undefined) this.#sum = (this.#sum ?? 0) + amount
  }

  /** Side effect: begins anew. */
  settle(): void {
    if (this.#sum !== undefined) this.#counter.inc(this.#sum)
    this.#sum = undefined
  }
}

/** The same for money: summed exactly, rounded when shown. A credit is left out, since counters only rise. */
export class MoneyTally {
  #sum: bigint | undefined
  readonly #counter: Counter.Internal

  constructor(counter: Counter.Internal) {
    this.#counter = counter
  }

  add(amount: bigint | undefined): void {
    if (amount !== undefined && amount >= 0n) this.#sum = (this.#sum ?? 0n) + amount
  }

  /** Side effect: begins anew. */
  settle(): void {
    if (this.#sum !== undefined) this.#counter.inc(usd(picoUsd(this.#sum)))
    this.#sum = undefined
  }
}
