import type { SessionId } from '@incipit/core'

/** What becomes of cached prefixes when a new snapshot of a model is published (F-4). */
export type ResetPromptCache = 'all' | 'none' | 'new_session'

interface ModelSnapshots {
  /** The snapshot that sessions seen from now on belong to. */
  current: number
  published: number
}

/**
 * Remembers under which snapshot of a model each session began. The number narrows the isolation
 * scope, so that state computed under another snapshot is never read: with `all` every session moves
 * to the new one, with `new_session` only sessions first seen after it, with `none` nobody.
 *
 * Bounded: the sessions seen longest ago are forgotten and then count as new.
 *
 * @example book.publish('demo', 'new_session'); book.snapshotOf('demo', session)
 */
export class SnapshotBook {
  readonly #models = new Map<string, ModelSnapshots>()
  readonly #sessions = new Map<string, number>()
  readonly #maxSessions: number

  constructor(maxSessions = 100_000) {
    this.#maxSessions = maxSessions
  }

  /** @returns the number of snapshots published for the model, this one included */
  publish(model: string, reset: ResetPromptCache): number {
    const snapshots = this.#of(model)
    snapshots.published += 1
    if (reset !== 'none') snapshots.current = snapshots.published
    if (reset === 'all') {
      for (const key of this.#sessions.keys()) if (key.startsWith(`${model}\n`)) this.#sessions.delete(key)
    }
    return snapshots.published
  }

  /** Side effect: a session not seen before is bound to the current snapshot. */
  snapshotOf(model: string, session: SessionId): number {
    const key = `${model}\n${session}`
    const snapshot = this.#sessions.get(key) ?? this.#of(model).current
    this.#sessions.delete(key)
    this.#sessions.set(key, snapshot)
    if (this.#sessions.size > this.#maxSessions) {
      for (const oldest of this.#sessions.keys()) {
        this.#sessions.delete(oldest)
        break
      }
    }
    return snapshot
  }

  #of(model: string): ModelSnapshots {
    const known = this.#models.get(model)
    if (known !== undefined) return known
    const fresh: ModelSnapshots = { current: 0, published: 0 }
    this.#models.set(model, fresh)
    return fresh
  }
}
