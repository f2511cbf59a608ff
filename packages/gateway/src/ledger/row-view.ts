import type { SqlRow, SqlValue } from './driver.ts'
import { eventColumns } from './event-row.ts'

/**
 * The values of an event, in the order of `eventColumns`, as a row by the names of its columns. Nothing is copied: an
 * import asks of each row for a few of them, and an object of its own costs more than what is done with it.
 *
 * @example viewOf(['req_1', 'request', ...])['kind'] // 'request'
 */
export function viewOf(values: readonly SqlValue[]): SqlRow {
  return new RowView(values) as unknown as SqlRow // its members are defined below, one for each column
}

class RowView {
  readonly values: readonly SqlValue[]

  constructor(values: readonly SqlValue[]) {
    this.values = values
  }
}

for (const [index, { name }] of eventColumns.entries()) {
  Object.defineProperty(RowView.prototype, name, {
    get(this: RowView): SqlValue {
      return this.values[index] ?? null
    },
  })
}
