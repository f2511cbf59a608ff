/** One stored prefix. */
export interface CacheEntry {
  readonly key: string
  /** Whose it is and where it lies, for people who look. */
  readonly scope: string
  readonly tokens: number
  readonly ttlMs: number
  /** It never lives longer than this, however often it is read. */
  readonly endsAt: number
  readonly writtenAt: number
  expiresAt: number
}

export interface CacheWrite {
  readonly key: string
  readonly scope: string
  readonly tokens: number
  readonly ttlMs: number
  /** A limit on the whole life; without it a read may extend it for ever. */
  readonly lifeMs?: number
}

/** Enough for hours of load, and an end to what a long run may take. */
const defaultMaxEntries = 500_000

/** Entries with a time to live. Reading refreshes them; where there are too many the longest unused goes first. */
export class TimedCache {
  /** In the order of last use. */
  readonly #entries = new Map<string, CacheEntry>()
  readonly #maxEntries: number

  constructor(maxEntries: number = defaultMaxEntries) {
    this.#maxEntries = maxEntries
  }

  /** @returns the entry if it is alive; it is not refreshed by looking */
  find(key: string, now: number): CacheEntry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.expiresAt > now) return entry
    this.#entries.delete(key)
    return undefined
  }

  /** Starts the time to live of an entry anew, and makes it the last to be evicted. */
  refresh(entry: CacheEntry, now: number): void {
    entry.expiresAt = Math.max(entry.expiresAt, Math.min(now + entry.ttlMs, entry.endsAt))
    this.#entries.delete(entry.key)
    this.#entries.set(entry.key, entry)
  }

  /** Stores an entry; may evict the longest unused one. */
  write(write: CacheWrite, now: number): void {
    const { lifeMs = Infinity, ...rest } = write
    const endsAt = now + lifeMs
    this.#entries.delete(write.key)
    this.#entries.set(write.key, { ...rest, endsAt, writtenAt: now, expiresAt: Math.min(now + write.ttlMs, endsAt) })
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > this.#maxEntries && oldest !== undefined) this.#entries.delete(oldest)
  }

  /** Those alive, the longest unused first. */
  entries(now: number): readonly CacheEntry[] {
    return [...this.#entries.values()].filter(({ expiresAt }) => expiresAt > now)
  }

  clear(): void {
    this.#entries.clear()
  }
}
