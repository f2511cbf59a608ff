import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { filterParameters } from '../packages/gateway/src/control/event-filter.ts'
import { reuseTargets } from '../packages/gateway/src/control/reuse-targets.ts'
import { eventFieldNames } from '../packages/gateway/src/ledger/event-fields.ts'

const page = readFileSync(new URL('../docs/api/records.md', import.meta.url), 'utf8')

test('M-2 every field of an event is documented, in order, and every documented one exists', () => {
  const paragraph = page.slice(page.indexOf('\nFields: '), page.indexOf('\nNull means'))
  expect([...paragraph.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(eventFieldNames)
})

test('M-2 every filter is documented, and every documented one exists', () => {
  const table = page.slice(page.indexOf('\n## Filters'), page.indexOf('\nA time is one of'))
  const rows = [...table.matchAll(/^\| (`.*?) +\|/gm)].flatMap(([, names]) => names?.match(/\w+/g) ?? [])
  expect(rows.sort()).toEqual([...filterParameters].sort())
})

test('M-3 the documented targets are the ones in force', () => {
  const targets = page.slice(page.indexOf('**Targets.**'), page.indexOf('## Prefixes'))
  const { first, same_session: same, across_sessions: across } = reuseTargets
  expect([first.band, same.band, across.band]).toEqual([
    [0, 0],
    [0.6, 0.9],
    [0.4, 0.7],
  ])
  for (const text of ['session 0,', '60 to 90 %', '40 to\n70 %', first.asOf]) expect(targets).toContain(text)
})
