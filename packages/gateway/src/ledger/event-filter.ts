import type { SqlValue } from './driver.ts'
import type { EventFilter } from './port.ts'

export type Condition = readonly [sql: string, ...parameters: SqlValue[]]

/** What the columns of `events` must be for a filter to match. */
export function conditions(filter: EventFilter): Condition[] {
  const where: Condition[] = []
  const { kind, status, provider, org, keyName, session, model, upstream, verdict, cause } = filter
  const equal = { kind, status, provider, org, key_name: keyName, session, model, upstream, verdict, cause }
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) where.push([`${column} = ?`, value])
  }
  if (filter.since !== undefined) where.push(['at >= ?', filter.since])
  if (filter.until !== undefined) where.push(['at < ?', filter.until])
  return where
}

/** All of them, or nothing where there are none. */
export function clause(where: readonly Condition[]): string {
  return where.length === 0 ? '' : `WHERE ${where.map(([sql]) => sql).join(' AND ')}`
}

export function parametersOf(where: readonly Condition[]): SqlValue[] {
  return where.flatMap(([, ...parameters]) => parameters)
}
