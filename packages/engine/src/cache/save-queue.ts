/** Blocks of a finished request that are still to be copied to RAM. */
export interface SaveJob {
  readonly scope: string
  readonly tokens: Int32Array
  readonly blocks: number
  /** Computed when the job begins. */
  keys: readonly string[] | undefined
  /** The next block to save. */
  at: number
}

/** Bounds the memory that tokens of waiting jobs take; the oldest job gives way. */
const maxJobs = 64

/** Save jobs in order. A dropped job costs nothing but time: eviction saves what is missing. */
export class SaveQueue {
  #jobs: SaveJob[] = []

  add(job: Pick<SaveJob, 'scope' | 'tokens' | 'blocks'>): void {
    if (this.#jobs.length === maxJobs) this.#jobs.shift()
    this.#jobs.push({ ...job, keys: undefined, at: 0 })
  }

  next(): SaveJob | undefined {
    return this.#jobs[0]
  }

  /** Drops the first job. */
  drop(): void {
    this.#jobs.shift()
  }

  reset(scopePrefix: string): void {
    this.#jobs = this.#jobs.filter((job) => !job.scope.startsWith(scopePrefix))
  }
}
