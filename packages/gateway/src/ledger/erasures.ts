import { createHash } from 'node:crypto'
import type { SqlRow, SqlValue } from './driver.ts'
import type { Condition } from './event-filter.ts'
import type { ErasureFilter } from './port.ts'
import type { SqlConnection } from './sql-connection.ts'

/**
 * What was erased, so that it does not come back from a journal that was out of reach then: hashes of names, because
 * the names are to be gone as well, and the time before which they are meant.
 */
export class Erasures {
  readonly #before: ReadonlyMap<string, number>
  readonly #hashes = new Map<string, string>()

  private constructor(before: ReadonlyMap<string, number>) {
    this.#before = before
  }

  static async read(connection: SqlConnection): Promise<Erasures> {
    const rows = await connection.all('SELECT subject, before FROM erasures')
    return new Erasures(new Map(rows.map(({ subject, before }) => [String(subject), Number(before)])))
  }

  /** Nothing was ever erased. */
  get none(): boolean {
    return this.#before.size === 0
  }

  /** Whether an event, by its columns, has been erased. */
  has({ org, session, at }: SqlRow): boolean {
    const [ofOrg, ofSession] = [String(org), session === null ? undefined : String(session)]
    const subjects: ErasureFilter[] = [{ org: ofOrg as ErasureFilter['org'] }]
    if (ofSession !== undefined)
      subjects.push({ session: ofSession }, { org: ofOrg as ErasureFilter['org'], session: ofSession })
    return subjects.some((subject) => Number(at) < (this.#before.get(this.#subjectOf(subject)) ?? -Infinity))
  }

  /** Many events of one import have the same names. */
  #subjectOf(what: ErasureFilter): string {
    const name = JSON.stringify([what.org ?? null, what.session ?? null])
    const hash = this.#hashes.get(name) ?? subjectOf(what)
    this.#hashes.set(name, hash)
    return hash
  }
}

/** Within a transaction: from now on nothing of it that happened before `at` is imported. */
export async function noteErasure(connection: SqlConnection, what: ErasureFilter, at: number): Promise<void> {
  await connection.run(
    `INSERT INTO erasures (subject, before) VALUES (?, ?) ON CONFLICT (subject)
     DO UPDATE SET before = excluded.before WHERE excluded.before > erasures.before`,
    [subjectOf(what), at],
  )
}

/** The events that are meant. */
export function erasureConditions({ org, session }: ErasureFilter): Condition[] {
  const equal: [string, SqlValue | undefined][] = [
    ['org = ?', org],
    ['session = ?', session],
  ]
  return equal.flatMap(([sql, value]) => (value === undefined ? [] : [[sql, value] as const]))
}

function subjectOf({ org, session }: ErasureFilter): string {
  return createHash('sha256')
    .update(JSON.stringify([org ?? null, session ?? null]))
    .digest('hex')
}
