import { expect, test } from 'vitest'
import { Pace } from './pace.ts'

test('one slow write is followed by a second in the background, further ones by twice as much, to a minute', () => {
  let now = 0
  const pace = new Pace(() => now)
  pace.took(5, 'blocking')
  pace.took(50, 'background')
  expect(pace.patient).toBe(false)
  const pauses: number[] = []
  for (let again = 0; again < 8; again++) {
    pace.took(5.1, 'blocking')
    const begun = now
    while (pace.patient) now += 500
    pauses.push((now - begun) / 1_000)
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  now += 60_000
  pace.took(51, 'background')
  now += 1_000
  expect(pace.patient).toBe(false)
})
