import { epochMs } from '@incipit/core'
import type { GroupKey, Summary, SummaryRow } from '../port.ts'
import { numberCount, toTotals } from './to-totals.ts'

/** A summary as it crosses from the thread of the store: what would be thousands of objects is a few arrays. */
export interface PackedSummary {
  /** By row; NaN without intervals. */
  readonly starts: Float64Array
  /** By row: the values of the keys, as the text of a JSON array. */
  readonly groups: readonly string[]
  /** `numberCount` by row. */
  readonly numbers: Float64Array
  readonly truncated: boolean
  readonly since: number
  readonly until: number
}

/** Rows that are unpacked at once: a millisecond or two. */
const rowsPerTurn = 100

/** Unpacks in turns, between which the event loop does what else there is. */
export async function unpackSummary(packed: PackedSummary, groupBy: readonly GroupKey[]): Promise<Summary> {
  const rows: SummaryRow[] = []
  for (const [row, group] of packed.groups.entries()) {
    const start = packed.starts[row]
    rows.push({
      start: start === undefined || Number.isNaN(start) ? undefined : epochMs(start),
      group: groupOf(group, groupBy),
      totals: toTotals(packed.numbers.subarray(row * numberCount, (row + 1) * numberCount)),
    })
    // oxlint-disable-next-line no-await-in-loop -- in turns
    if (rows.length % rowsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const { truncated, since, until } = packed
  return { rows, truncated, since: epochMs(since), until: epochMs(until) }
}

function groupOf(group: string, groupBy: readonly GroupKey[]): SummaryRow['group'] {
  const values = JSON.parse(group) as (string | boolean | null)[] // written by `readSummary`
  return Object.fromEntries(groupBy.map((key, index) => [key, values[index]?.toString()]))
}
