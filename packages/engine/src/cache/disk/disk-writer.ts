/** A prefix to write: its keys, and where the state of each of its blocks can be had now. */
export interface DiskJob {
  readonly scope: string
  readonly tokens: Int32Array
  readonly keys: readonly string[]
  /** `undefined` when it went to make room in the meantime. */
  readonly stateOf: (block: number) => Uint8Array | undefined
}

/** A job that waits or is under way. */
export interface PendingJob extends DiskJob {
  /** Nothing of it is wanted any more. */
  readonly cancelled: boolean
}

/** Where jobs are written to. */
export interface DiskTarget {
  has(key: string): boolean
  /**
   * Writes one block, unless the job is cancelled meanwhile. False where it does not stay: what is behind it is of no
   * use then.
   * @throws Error of the system
   */
  write(job: PendingJob, block: number, state: Uint8Array): Promise<boolean>
  /** All that was queued is written. */
  idle(): void
}

/** The oldest job gives way: what it would have written is written when it is used again. */
const maxJobs = 64
/** After a write that failed nothing is written for this long. */
const failurePauseMs = 30_000
/** While answers are generated, writing takes this part of the time at most. */
const shareBesideAnswers = 1 / 8

/** Writes prefixes behind the requests, one block after the other, and makes room for answers that are generated. */
export class DiskWriter {
  readonly #target: DiskTarget
  readonly #now: () => number
  readonly #jobs: (PendingJob & { cancelled: boolean })[] = []
  #working: Promise<void> | undefined
  #pausedUntil = 0
  #closed = false
  #busy: () => boolean = () => false
  #failed = 0

  /** @param now the wall clock, in milliseconds since 1970 */
  constructor(target: DiskTarget, now: () => number) {
    this.#target = target
    this.#now = now
  }

  /** Writes that failed since the start. */
  get failed(): number {
    return this.#failed
  }

  /** Whether a block is under way. */
  get working(): boolean {
    return this.#working !== undefined
  }

  /** Whether what is queued now would be written. */
  get accepts(): boolean {
    return !this.#closed && this.#now() >= this.#pausedUntil
  }

  /** Says when answers are being generated. */
  yieldTo(busy: () => boolean): void {
    this.#busy = busy
  }

  add(job: DiskJob): void {
    if (this.#closed) return
    if (this.#jobs.length === maxJobs) this.#jobs.shift()
    this.#jobs.push({ ...job, cancelled: false })
    this.#work()
  }

  /** Cancels the jobs of every scope that begins with `scopePrefix`, the one under way included. */
  cancel(scopePrefix: string): void {
    for (const job of this.#jobs) if (job.scope.startsWith(scopePrefix)) job.cancelled = true
  }

  /** Resolves when everything queued is written, or after `ms`. */
  async flush(ms: number): Promise<void> {
    this.#busy = () => false
    const timer = new AbortController()
    const late = new Promise<void>((resolve) => {
      const handle = setTimeout(resolve, ms)
      timer.signal.addEventListener('abort', () => clearTimeout(handle))
    })
    await Promise.race([this.#working ?? Promise.resolve(), late])
    timer.abort()
  }

  /** Ends behind the block under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.cancel('')
    await this.#working
  }

  #work(): void {
    this.#working ??= this.#writeAll().finally(() => {
      this.#working = undefined
      if (this.#jobs.length > 0 && this.accepts) this.#work()
    })
  }

  async #writeAll(): Promise<void> {
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one block after the other: this is work behind the requests
        await this.#writeJob(job)
      } catch {
        this.#failed++
        this.#pausedUntil = this.#now() + failurePauseMs
        this.#jobs.length = 0
      }
      if (this.#jobs[0] === job) this.#jobs.shift()
    }
    this.#target.idle()
  }

  async #writeJob(job: PendingJob): Promise<void> {
    if (!this.accepts) return
    for (let block = 0; block < job.keys.length && !job.cancelled; block++) {
      if (this.#target.has(job.keys[block] as string)) continue
      const state = job.stateOf(block)
      if (state === undefined) return
      const begun = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- a block without its parent is of no use
      if (!(await this.#target.write(job, block, state))) return
      // oxlint-disable-next-line no-await-in-loop
      await this.#rest(performance.now() - begun)
    }
  }

  /** Pauses behind a write that took `ms`, as long as answers are generated. */
  async #rest(ms: number): Promise<void> {
    if (this.#busy() && !this.#closed) {
      await new Promise((resolve) => setTimeout(resolve, ms / shareBesideAnswers))
    }
  }
}
