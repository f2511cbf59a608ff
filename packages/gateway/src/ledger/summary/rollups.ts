import type { SqlRow, SqlValue } from '../driver.ts'
import type { SqlConnection } from '../sql-connection.ts'
import { Cell, cellColumns } from './cell.ts'
import { groupColumns, groupIds, groupNameOf, isSameGroup } from './groups.ts'
import { levels } from './pieces.ts'

/** The columns of an event that its sums are made of. */
export const rollupColumns: readonly string[] = [...new Set(['at', ...groupColumns, ...cellColumns])]

/** The sums of one group in one quarter of an hour. */
export interface QuarterCell {
  readonly at: number
  readonly group: number
  readonly cell: Cell
}

/**
 * Adds events to the sums of their quarter, hour and day, or takes them away again (`sign` -1). Within the
 * transaction that inserts or deletes them.
 * @param rows the `rollupColumns` of events
 */
export async function rollUp(connection: SqlConnection, rows: readonly SqlRow[], sign: 1 | -1): Promise<void> {
  const cells = new Map<string, { readonly at: number; readonly name: string; readonly cell: Cell }>()
  let before: SqlRow | undefined
  let entry: { readonly at: number; readonly name: string; readonly cell: Cell } | undefined
  for (const row of rows) {
    const at = beginOf(levels[0], Number(row['at']))
    // Most rows are of the group of the one before: its name need not be written to find that out.
    if (entry?.at !== at || before === undefined || !isSameGroup(row, before)) {
      const name = groupNameOf(row)
      const key = `${at} ${name}`
      entry = cells.get(key) ?? { at, name, cell: new Cell() }
      cells.set(key, entry)
    }
    before = row
    entry.cell.add(row)
  }
  const ids = await groupIds(connection, [...new Set([...cells.values()].map(({ name }) => name))])
  const quarters = [...cells.values()].map(({ at, name, cell }) => ({ at, group: ids.get(name) ?? -1, cell }))
  await changeCells(connection, quarters, { widths: levels, sign })
}

/** Adds quarters to, or takes them away from, the cells of these widths that hold them. */
export async function changeCells(
  connection: SqlConnection,
  quarters: readonly QuarterCell[],
  { widths, sign }: { readonly widths: readonly number[]; readonly sign: 1 | -1 },
): Promise<void> {
  for (const width of widths) {
    const changes = new Map<number, Map<number, Cell>>()
    for (const { at, group, cell } of quarters) {
      const begin = beginOf(width, at)
      const groups = changes.get(begin) ?? new Map<number, Cell>()
      changes.set(begin, groups)
      const change = groups.get(group) ?? new Cell()
      groups.set(group, change)
      change.combine(cell)
    }
    for (const [at, groups] of changes) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await changeStretch(connection, { width, at, groups, sign })
    }
  }
}

interface Stretch {
  readonly width: number
  readonly at: number
  readonly groups: ReadonlyMap<number, Cell>
  readonly sign: 1 | -1
}

async function changeStretch(connection: SqlConnection, { width, at, groups, sign }: Stretch): Promise<void> {
  const known = `width = ? AND at = ? AND ${connection.dialect.isOneOf('group_id', 'bigint')}`
  const before = new Map<number, Uint8Array>()
  const found = await connection.all(`SELECT group_id, cell FROM rollups WHERE ${known}`, [
    width,
    at,
    JSON.stringify([...groups.keys()]),
  ])
  for (const { group_id: group, cell } of found) if (cell instanceof Uint8Array) before.set(Number(group), cell)
  const kept: SqlValue[][] = []
  const gone: number[] = []
  for (const [group, change] of groups) {
    const cell = new Cell()
    const bytes = before.get(group)
    if (bytes !== undefined) cell.merge(bytes)
    cell.combine(change, sign)
    if (!cell.empty) kept.push([width, at, group, cell.encode()])
    else if (bytes !== undefined) gone.push(group)
  }
  await writeCells(connection, kept)
  if (gone.length > 0) await connection.run(`DELETE FROM rollups WHERE ${known}`, [width, at, JSON.stringify(gone)])
}

/** Cells that are written by one statement. */
const cellsPerStatement = 32

async function writeCells(connection: SqlConnection, cells: readonly SqlValue[][]): Promise<void> {
  for (let from = 0; from < cells.length;) {
    // Two forms of the statement only, so that both stay prepared.
    const count = cells.length - from >= cellsPerStatement ? cellsPerStatement : 1
    const sql = `INSERT INTO rollups (width, at, group_id, cell) VALUES ${'(?, ?, ?, ?), '.repeat(count).slice(0, -2)}
      ON CONFLICT (width, at, group_id) DO UPDATE SET cell = excluded.cell`
    // oxlint-disable-next-line no-await-in-loop -- one connection
    await connection.run(sql, cells.slice(from, from + count).flat())
    from += count
  }
}

function beginOf(width: number, at: number): number {
  return Math.floor(at / width) * width
}
