import { expect, test } from 'vitest'
import { eventColumns } from './event-row.ts'
import { viewOf } from './row-view.ts'

test('a view says of each column what stands there, and null where a row ends early', () => {
  const values = eventColumns.map((_, index) => index)
  const view = viewOf(values.slice(0, -1))
  const names = eventColumns.map(({ name }) => name)
  expect(names.map((name) => view[name])).toEqual([...values.slice(0, -1), null])
})
