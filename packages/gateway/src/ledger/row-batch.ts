import type { LedgerError } from './ledger-error.ts'

/** The rows of one tick: written together, and settled once, by their write, its failure or their time. */
export class RowBatch {
  readonly settled: Promise<void>
  text = ''
  rows = 0
  /** Their time was up before their write was over: whoever recorded them has been told that they are lost. */
  overdue = false
  #timer: NodeJS.Timeout | undefined
  #resolve: () => void = () => undefined
  #reject: (error: LedgerError) => void = () => undefined

  constructor() {
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  add(line: string): void {
    this.text += line
    this.text += '\n'
    this.rows += 1
  }

  /** Rejects them with what `late` returns when they are not settled within `ms`. */
  expectWithin(ms: number, late: () => LedgerError): void {
    // A write that ended while the loop was busy is handled before an immediate, but after timers.
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      setImmediate(() => {
        if (this.#over) return
        this.overdue = true
        this.reject(late())
      })
    }, ms)
  }

  resolve(): void {
    this.#end()
    this.#resolve()
  }

  reject(error: LedgerError): void {
    this.#end()
    this.#reject(error)
  }

  #over = false

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }
}
