import type { SessionId } from '@incipit/core'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { z } from 'zod'

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
 * Bounded: the sessions seen longest ago are forgotten and then count as new, as all are after a restart. The numbers
 * themselves are kept in a file: blocks on disk outlive the process, and so must what they may be read under.
 *
 * @example book.publish('demo', 'new_session'); book.snapshotOf('demo', session)
 */
export class SnapshotBook {
  readonly #models = new Map<string, ModelSnapshots>()
  readonly #sessions = new Map<string, number>()
  readonly #maxSessions: number
  readonly #file: string | undefined

  /** @param file where `save` keeps the numbers; `undefined` = nowhere */
  constructor(maxSessions = 100_000, file?: string) {
    this.#maxSessions = maxSessions
    this.#file = file
  }

  /**
   * The book of a data directory, as `save` left it.
   * @throws Error naming the file when it holds something else
   */
  static async open(file: string): Promise<SnapshotBook> {
    const book = new SnapshotBook(undefined, file)
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{}'
      throw error
    })
    for (const [model, snapshots] of Object.entries(parseNumbers(text, file))) book.#models.set(model, snapshots)
    return book
  }

  /** Keeps the numbers for the next start: whole, or as they were. */
  async save(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    const published = [...this.#models].filter(([, snapshots]) => snapshots.published > 0)
    const temporary = `${file}.${process.pid}`
    await writeFile(temporary, JSON.stringify(Object.fromEntries(published)), { mode: 0o600 })
    await rename(temporary, file)
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

const numbers = z.record(z.string(), z.strictObject({ current: z.int().min(0), published: z.int().min(0) }))

function parseNumbers(text: string, file: string): z.infer<typeof numbers> {
  try {
    return numbers.parse(JSON.parse(text))
  } catch (cause) {
    throw new Error(`${file} is damaged: restore it, or delete it together with the folder "kv" beside it`, { cause })
  }
}
