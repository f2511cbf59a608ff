import type { OrgId } from '@incipit/core'
import { epochMs, IncipitError } from '@incipit/core'
import type { SqlValue } from '../driver.ts'
import type { Condition } from '../event-filter.ts'
import { clause, conditions, parametersOf } from '../event-filter.ts'
import type { SummaryQuery } from '../port.ts'
import type { SqlConnection } from '../sql-connection.ts'
import { readState } from '../store-state.ts'
import { Cell, cellColumns } from './cell.ts'
import { columnOfKey, groupIndexOf, groupMatches, isOfGroups } from './groups.ts'
import type { GroupBook, GroupValues } from './groups.ts'
import { intervalStarts } from './intervals.ts'
import type { Piece } from './pieces.ts'
import { cut, quarterMs } from './pieces.ts'
import { TimeZone } from './time-zone.ts'
import { numberCount, toNumbers } from './to-totals.ts'
import type { PackedSummary } from './packed-summary.ts'

/** Rows of one answer at most. */
export const maxSummaryRows = 10_000
/** Groups, in all intervals together, that are added up side by side at most. */
const maxCells = 100_000
const rollupsPerRead = 20_000
const eventsPerRead = 5_000

/**
 * Answers a summary: from the kept sums where they are as fine as the question, else from single events.
 * @throws IncipitError invalid_request
 */
export async function readSummary(
  connection: SqlConnection,
  query: SummaryQuery,
  book: GroupBook,
): Promise<PackedSummary> {
  checkLimit(query.limit)
  const zone = new TimeZone(query.timeZone)
  return connection.snapshot(async () => {
    const plan = await planOf(connection, query, zone)
    const table = new SummaryTable(query, plan.starts)
    const groups = plan.pieces.some(({ width }) => width !== undefined)
      ? await book.update(connection)
      : new Map<number, GroupValues>()
    for (const piece of plan.pieces) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      if (piece.width === undefined) await addEvents(connection, query, piece, table)
      // oxlint-disable-next-line no-await-in-loop -- one connection
      else await addRollups(connection, { query, piece, width: piece.width, groups }, table)
    }
    return { ...table.rows(query.limit), since: plan.since, until: plan.until }
  })
}

interface Plan {
  readonly since: number
  readonly until: number
  readonly starts: readonly number[]
  readonly pieces: readonly Piece[]
}

async function planOf(connection: SqlConnection, query: SummaryQuery, zone: TimeZone): Promise<Plan> {
  const { filter, groupBy, interval } = query
  const state = await readState(connection)
  const ofGroups = !state.filling && isOfGroups(filter) && groupBy.every((key) => groupIndexOf(key) >= 0)
  const extent = await extentOf(connection, state.prunedBefore, filter.org)
  let since: number = filter.since ?? extent.since
  let until: number = filter.until ?? extent.until
  if (ofGroups) {
    // Of pruned events only the sums are left.
    if (since < state.prunedBefore) since = Math.floor(since / quarterMs) * quarterMs
    if (until < state.prunedBefore) until = Math.ceil(until / quarterMs) * quarterMs
  } else since = Math.max(since, state.prunedBefore)
  // Where nothing lies outside, the sums of the first and the last quarter are wanted as a whole.
  const range = {
    since: since <= extent.since ? Math.floor(extent.since / quarterMs) * quarterMs : since,
    until: until >= extent.until ? Math.ceil(extent.until / quarterMs) * quarterMs : until,
  }
  const starts = interval === 'none' ? [] : intervalStarts(interval, zone, range)
  const bounds = [range.since, ...starts.filter((start) => start > range.since), range.until]
  const pieces = ofGroups ? cut(bounds) : [{ width: undefined, ...range }]
  return { since, until: Math.max(since, until), starts, pieces: range.since < range.until ? pieces : [] }
}

/**
 * From the first to behind the last of what the store has, of an organisation where one is asked for: when others were
 * active is none of its business.
 */
async function extentOf(
  connection: SqlConnection,
  prunedBefore: number,
  org: OrgId | undefined,
): Promise<{ since: number; until: number }> {
  // One end at a time: asked for both at once, SQLite reads a whole index.
  const events = await endsOf(connection, 'events', org === undefined ? [] : [['org = ?', org]])
  // Of what was pruned there are sums only.
  const ofOrg: Condition[] =
    org === undefined ? [] : [['group_id IN (SELECT id FROM rollup_groups WHERE org = ?)', org]]
  const sums = Number.isFinite(prunedBefore)
    ? await endsOf(connection, 'rollups', [['width = ?', quarterMs], ['at < ?', prunedBefore], ...ofOrg])
    : undefined
  const since = Math.min(events?.first ?? Infinity, sums?.first ?? Infinity)
  const until = Math.max(Math.floor(events?.last ?? -1) + 1, (sums?.last ?? -quarterMs) + quarterMs)
  return { since: Number.isFinite(since) ? since : 0, until }
}

async function endsOf(
  connection: SqlConnection,
  table: 'events' | 'rollups',
  where: readonly Condition[],
): Promise<{ first: number; last: number } | undefined> {
  const sql = `SELECT at FROM ${table} ${clause(where)} ORDER BY at`
  const [first] = await connection.all(`${sql} LIMIT 1`, parametersOf(where))
  const [last] = await connection.all(`${sql} DESC LIMIT 1`, parametersOf(where))
  return first === undefined ? undefined : { first: Number(first['at']), last: Number(last?.['at']) }
}

async function addRollups(
  connection: SqlConnection,
  {
    query,
    piece,
    width,
    groups,
  }: { query: SummaryQuery; piece: Piece; width: number; groups: ReadonlyMap<number, GroupValues> },
  table: SummaryTable,
): Promise<void> {
  const indexes = query.groupBy.map(groupIndexOf)
  const names = new Map<number, string>()
  for (const [id, values] of groups) {
    if (!groupMatches(values, query.filter)) continue
    names.set(id, JSON.stringify(indexes.map((index) => values[index] ?? null)))
  }
  if (names.size === 0) return
  const some = names.size < groups.size
  const sql = `SELECT at, group_id, cell FROM rollups
    WHERE width = ? AND at < ? AND (at, group_id) > (?, ?) AND at >= ?
    ${some ? `AND ${connection.dialect.isOneOf('group_id', 'bigint')}` : ''} ORDER BY at, group_id LIMIT ?`
  const chosen = some ? [JSON.stringify([...names.keys()])] : []
  let [at, group] = [piece.since, -1]
  for (let more = true; more;) {
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the last one ended
    const rows = await connection.all(sql, [width, piece.until, at, group, at, ...chosen, rollupsPerRead])
    for (const row of rows) {
      at = Number(row['at'])
      group = Number(row['group_id'])
      const name = names.get(group)
      if (name !== undefined && row['cell'] instanceof Uint8Array) table.cellOf(at, name).merge(row['cell'])
    }
    more = rows.length === rollupsPerRead
  }
}

async function addEvents(
  connection: SqlConnection,
  query: SummaryQuery,
  piece: Piece,
  table: SummaryTable,
): Promise<void> {
  const keyColumns = query.groupBy.map((key) => columnOfKey[key])
  const columns = [...new Set(['id', 'at', ...cellColumns, ...keyColumns])].join(', ')
  const where = conditions({ ...query.filter, since: epochMs(piece.since), until: epochMs(piece.until) })
  let after: SqlValue[] | undefined
  for (let more = true; more;) {
    const page = after === undefined ? where : [...where, ['(at, id) > (?, ?)', ...after] as const]
    const sql = `SELECT ${columns} FROM events ${clause(page)} ORDER BY at, id LIMIT ?`
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the last one ended
    const rows = await connection.all(sql, [...parametersOf(page), eventsPerRead])
    for (const row of rows) {
      const values = keyColumns.map((column) => (column === 'control' ? row[column] === 1 : (row[column] ?? null)))
      table.cellOf(Number(row['at']), JSON.stringify(values)).add(row)
    }
    const last = rows.at(-1)
    after = [last?.['at'] ?? null, last?.['id'] ?? null]
    more = rows.length === eventsPerRead
  }
}

/** The sums of an answer while they are added up, by interval and group. */
class SummaryTable {
  readonly #starts: readonly number[]
  readonly #single: boolean
  readonly #cells: Map<string, Cell>[]
  #size = 0
  #interval = 0

  constructor({ groupBy, interval }: SummaryQuery, starts: readonly number[]) {
    this.#single = groupBy.length === 0 && interval === 'none'
    this.#starts = starts
    this.#cells = Array.from({ length: Math.max(1, starts.length) }, () => new Map<string, Cell>())
  }

  /** @throws IncipitError invalid_request, param `group_by`, when there are too many groups */
  cellOf(at: number, group: string): Cell {
    const interval = this.#cells[this.#intervalOf(at)]
    let cell = interval?.get(group)
    if (cell !== undefined) return cell
    if (++this.#size > maxCells) {
      const message = `there are more than ${maxCells} groups and intervals: narrow the time or the filters`
      throw new IncipitError('invalid_request', message, { param: 'group_by' })
    }
    cell = new Cell()
    interval?.set(group, cell)
    return cell
  }

  rows(limit: number): Pick<PackedSummary, 'starts' | 'groups' | 'numbers' | 'truncated'> {
    if (this.#single && this.#size === 0) this.cellOf(0, '[]')
    const rows = Math.min(limit, this.#size)
    const packed = {
      starts: new Float64Array(rows),
      groups: [] as string[],
      numbers: new Float64Array(rows * numberCount),
    }
    for (const [interval, groups] of this.#cells.entries()) {
      for (const [group, cell] of [...groups].sort(mostRequestsFirst)) {
        const row = packed.groups.length
        if (row === limit) return { ...packed, truncated: true }
        packed.starts[row] = this.#starts[interval] ?? Number.NaN
        packed.groups.push(group)
        packed.numbers.set(toNumbers(cell), row * numberCount)
      }
    }
    return { ...packed, truncated: false }
  }

  /** What is read comes in the order of time: most often it is the interval of the one before. */
  #intervalOf(at: number): number {
    if (this.#starts.length === 0) return 0
    const isIn = (index: number): boolean =>
      (this.#starts[index] ?? Infinity) <= at && at < (this.#starts[index + 1] ?? Infinity)
    if (!isIn(this.#interval)) this.#interval = isIn(this.#interval + 1) ? this.#interval + 1 : this.#search(at)
    return this.#interval
  }

  #search(at: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#starts[middle] ?? Infinity) <= at) low = middle
      else high = middle - 1
    }
    return low
  }
}

function mostRequestsFirst([nameA, a]: [string, Cell], [nameB, b]: [string, Cell]): number {
  return b.requests - a.requests || (nameA < nameB ? -1 : 1)
}

function checkLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= maxSummaryRows) return
  throw new IncipitError('invalid_request', `"limit" is ${limit}, 1 to ${maxSummaryRows} allowed`, { param: 'limit' })
}
