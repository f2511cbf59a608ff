import { LedgerError } from './ledger-error.ts'
import type { Work } from './maintenance.ts'
import type { ErasureFilter } from './port.ts'
import { errorOfAnswer } from './store-failure.ts'
import type { WorkerChannel } from './worker-channel.ts'

/** How long what is in the store is kept, in days; `null` = for good. */
export interface Retention {
  readonly eventsDays: number | null
  readonly summariesDays: number | null
}

export const forGood: Retention = { eventsDays: null, summariesDays: null }

export interface KeeperParts {
  readonly writer: WorkerChannel
  readonly now: () => number
  readonly retention: Retention
  /** Between two rounds; default: ten minutes. */
  readonly everyMs?: number | undefined
}

const dayMs = 86_400_000
const firstPauseMs = 1_000
const defaultEveryMs = 600_000
/** Between two steps, so that others on the machine, and in the file, have their turn as well. */
const betweenStepsMs = 5

/**
 * Looks after the store in the background: completes it after an update, deletes what is older than it is to be kept,
 * and erases on demand. All of it in short steps, between which the writing thread takes rows; one work at a time.
 */
export class Keeper {
  readonly #parts: KeeperParts
  #retention: Retention
  #last: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closed = false
  /** Deleted rows may be readable in the files still. */
  #dirty = false
  pruned = 0
  erased = 0

  constructor(parts: KeeperParts) {
    this.#parts = parts
    this.#retention = parts.retention
    this.#schedule(firstPauseMs)
  }

  keep(retention: Retention): void {
    this.#retention = retention
    this.#schedule(firstPauseMs)
  }

  /** Whoever waits for a work is told that the ledger is closed. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /** @returns the number of events that went */
  prune(before: number): Promise<number> {
    return this.#exclusively(async () => {
      await this.#complete({ kind: 'fill' })
      return this.#prune(before)
    })
  }

  /** @returns the number of events that went */
  erase(what: ErasureFilter): Promise<number> {
    return this.#exclusively(async () => {
      await this.#complete({ kind: 'fill' })
      await this.#complete({ kind: 'note-erasure', what, at: this.#parts.now() })
      const rows = await this.#complete({ kind: 'erase', what }, (rows) => (this.erased += rows))
      this.#dirty = true
      // While somebody reads the store, the log cannot be moved into it: then it is done in a later round.
      await this.#cleanUp().catch(() => undefined)
      return rows
    })
  }

  async #cleanUp(): Promise<void> {
    await this.#complete({ kind: 'shrink' })
    // Last: the file is cut, and what was deleted is gone from it, when the log has been moved into it.
    await this.#complete({ kind: 'scrub' })
    this.#dirty = false
  }

  async #round(): Promise<void> {
    const retention = this.#retention
    const { eventsDays, summariesDays } = retention
    await this.#complete({ kind: 'fill' })
    if (this.#dirty) await this.#cleanUp()
    if (eventsDays === null) return
    const now = this.#parts.now()
    // A setting that changes in between holds from the next step on.
    const isWanted = (): boolean => this.#retention === retention
    const rows = await this.#prune(now - eventsDays * dayMs, isWanted)
    const before = now - (summariesDays ?? Infinity) * dayMs
    const sums = summariesDays === null || !isWanted() ? 0 : await this.#complete({ kind: 'prune-summaries', before })
    if (rows + sums > 0) await this.#cleanUp()
  }

  #prune(before: number, isWanted?: () => boolean): Promise<number> {
    return this.#complete({ kind: 'prune', before }, (rows) => (this.pruned += rows), isWanted)
  }

  /** Does all steps of a work, with whatever else the writing thread is asked in between. */
  async #complete(
    work: Work,
    onRows: (rows: number) => void = () => undefined,
    isWanted: () => boolean = () => true,
  ): Promise<number> {
    let rows = 0
    for (let more = true; more && isWanted();) {
      if (this.#closed) throw new LedgerError('closed', 'the ledger is closed')
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      const answer = await this.#parts.writer.send({ kind: 'work', work })
      if (answer.kind !== 'done') throw errorOfAnswer(answer)
      rows += answer.rows
      onRows(answer.rows)
      more = answer.more
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      if (more) await new Promise((resolve) => setTimeout(resolve, betweenStepsMs))
    }
    return rows
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }

  #schedule(inMs: number): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      // What failed now, because the store is locked or away, is done in a later round.
      void this.#exclusively(() => this.#round())
        .catch(() => undefined)
        .then(() => this.#schedule(this.#parts.everyMs ?? defaultEveryMs))
    }, inMs).unref()
  }
}
