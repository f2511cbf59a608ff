import type { SqlValue } from './driver.ts'
import { eventColumns } from './event-row.ts'

/** What became of rows: those that are new in the store, and why others were refused. The rest was there already. */
export interface Inserted {
  readonly added: readonly (readonly SqlValue[])[]
  readonly refusals: readonly string[]
}

const names = eventColumns.map((column) => column.name).join(', ')

/** An id that is there already stays as it was: recording again after a lost answer does no harm. */
export const insertEvent: string = `INSERT INTO events (${names})
  VALUES (${eventColumns.map(() => '?').join(', ')}) ON CONFLICT (id) DO NOTHING`
