import { createHash } from 'node:crypto'
import type { SqlRow, SqlValue } from '../driver.ts'
import type { EventFilter, GroupKey } from '../port.ts'
import type { SqlConnection } from '../sql-connection.ts'

/** By what sums are kept apart, as columns of `events`. Further ones would make as many sums as there are events. */
export const groupColumns = [
  'org',
  'key_name',
  'model',
  'served_model',
  'upstream',
  'provider',
  'dialect',
  'service_tier',
] as const

export type GroupValues = readonly (string | null)[]

/** The column of `events` behind each key. */
export const columnOfKey: Readonly<Record<GroupKey, string>> = {
  org: 'org',
  key: 'key_name',
  session: 'session',
  model: 'model',
  served_model: 'served_model',
  upstream: 'upstream',
  provider: 'provider',
  dialect: 'dialect',
  verdict: 'verdict',
  cause: 'cause',
  prefix: 'wire_hash',
  control: 'control',
  reuse: 'reuse',
  service_tier: 'service_tier',
}

/** Where a key is among `groupColumns`; -1 when sums are not kept apart by it. */
export function groupIndexOf(key: GroupKey): number {
  return (groupColumns as readonly string[]).indexOf(columnOfKey[key])
}

/** The name of the group of an event, under which its sums are kept. */
export function groupNameOf(row: SqlRow): string {
  return JSON.stringify(groupColumns.map((column) => row[column] ?? null))
}

/** Whether two events have the same `groupNameOf`. */
export function isSameGroup(row: SqlRow, other: SqlRow): boolean {
  return groupColumns.every((column) => (row[column] ?? null) === (other[column] ?? null))
}

export function groupValuesOf(name: string): GroupValues {
  return JSON.parse(name) as GroupValues // written by `groupNameOf`
}

/** Whether sums answer what this filter asks for, time aside. */
export function isOfGroups(filter: EventFilter): boolean {
  const { kind, status, session, verdict, cause } = filter
  return [kind, status, session, verdict, cause].every((wanted) => wanted === undefined)
}

export function groupMatches(values: GroupValues, filter: EventFilter): boolean {
  const { org, keyName, model, upstream, provider } = filter
  const equal = { org, key_name: keyName, model, upstream, provider }
  return groupColumns.every((column, index) => {
    const wanted = column in equal ? equal[column as keyof typeof equal] : undefined
    return wanted === undefined || values[index] === wanted
  })
}

/** The groups that a store knows, by their ids, which never mean another group. */
export class GroupBook {
  readonly #values = new Map<number, GroupValues>()
  #last = 0

  /** Side effect: reads the groups that are new since the last call. */
  async update(connection: SqlConnection): Promise<ReadonlyMap<number, GroupValues>> {
    const sql = 'SELECT id, name FROM rollup_groups WHERE id > ? ORDER BY id'
    for (const { id, name } of await connection.all(sql, [this.#last])) {
      this.#last = Number(id)
      this.#values.set(this.#last, groupValuesOf(String(name)))
    }
    return this.#values
  }
}

/** The id of each named group; new ones are added. Within a transaction. */
export async function groupIds(connection: SqlConnection, names: readonly string[]): Promise<Map<string, number>> {
  const found = await findIds(connection, names)
  const missing = names.filter((name) => !found.has(name))
  if (missing.length === 0) return found
  for (const name of missing) {
    const org: SqlValue = groupValuesOf(name)[0] ?? null
    const sql = 'INSERT INTO rollup_groups (org, hash, name) VALUES (?, ?, ?)'
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await connection.run(sql, [org, hashOf(name), name])
  }
  return findIds(connection, names)
}

/** By a hash, because names may be longer than an index takes. */
async function findIds(connection: SqlConnection, names: readonly string[]): Promise<Map<string, number>> {
  const byHash = new Map(names.map((name) => [hashOf(name), name]))
  const sql = `SELECT id, hash FROM rollup_groups WHERE ${connection.dialect.isOneOf('hash', 'text')}`
  const rows = await connection.all(sql, [JSON.stringify([...byHash.keys()])])
  return new Map(rows.map(({ id, hash }) => [byHash.get(String(hash)) ?? '', Number(id)]))
}

function hashOf(name: string): string {
  return createHash('sha256').update(name).digest('base64url')
}
