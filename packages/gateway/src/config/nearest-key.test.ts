import { expect, test } from 'vitest'
import { nearestKey } from './nearest-key.ts'

const known = ['host', 'port', 'max_body_bytes', 'shutdown_seconds']

test.each([
  ['prot', 'port'],
  ['maxBodyBytes', 'max_body_bytes'],
  ['shutdown', 'shutdown_seconds'],
  ['hosts', 'host'],
])('%s is taken for %s', (typed, meant) => {
  expect(
    nearestKey(
      typed,
      [...known, 'shutdown'].filter((key) => key !== typed),
    ),
  ).toBe(meant)
})

test('a key that is like none has no nearest', () => {
  expect(nearestKey('temperature', known)).toBeUndefined()
  expect(nearestKey('port', [])).toBeUndefined()
})
