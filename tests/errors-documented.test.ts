import { errorTable } from '@incipit/core'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('every error code is documented with its status and hint, and every documented code exists', () => {
  const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
  const documented = [...page.matchAll(/^\| `(\w+)` +\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, status, hint]) => [
    code,
    Number(status),
    hint,
  ])
  const existing = Object.entries(errorTable).map(([code, row]) => [code, row.status, row.hint])
  expect(documented).toEqual(existing)
})
