import type { SqlConnection } from './sql-connection.ts'

/** What a store knows of itself. */
export interface StoreState {
  /** Events before this instant have been pruned: of them there are sums only. */
  readonly prunedBefore: number
  /** The sums do not have all events yet: those that an older build stored are being added. */
  readonly filling: boolean
}

/** Names in `ledger_state`; the last two are row numbers of `events`. */
export type StateName = 'pruned_before' | 'filled_to' | 'fill_end'

export async function readState(connection: SqlConnection): Promise<StoreState> {
  const values = await readValues(connection)
  const [prunedBefore, filledTo, fillEnd] = [values.pruned_before, values.filled_to, values.fill_end]
  return { prunedBefore: prunedBefore ?? -Infinity, filling: (filledTo ?? 0) < (fillEnd ?? 0) }
}

export async function readValues(connection: SqlConnection): Promise<Partial<Record<StateName, number>>> {
  const rows = await connection.all('SELECT name, value FROM ledger_state')
  return Object.fromEntries(rows.map(({ name, value }) => [String(name), Number(value)]))
}

/** Within a transaction. */
export async function writeValue(connection: SqlConnection, name: StateName, value: number): Promise<void> {
  const sql =
    'INSERT INTO ledger_state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'
  await connection.run(sql, [name, value])
}
