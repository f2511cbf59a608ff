import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ageBucket, ageBuckets, ageHorizon, bucketStarts } from './age.ts'
import { ReuseCensus } from './reuse-census.ts'

test('buckets of ages are four to a doubling and cover everything', () => {
  expect([0, 1, 2, 3, 4, 8, 16].map(ageBucket)).toEqual([0, 1, 5, 7, 9, 13, 17])
  expect(ageBucket(ageHorizon - 1)).toBe(ageBuckets - 2)
  expect(ageBucket(ageHorizon)).toBe(ageBuckets - 1)
  expect(ageBucket(1e9)).toBe(ageBuckets - 1)
  for (let age = 1; age < ageHorizon; age++) {
    const bucket = ageBucket(age)
    expect(age >= (bucketStarts[bucket] ?? NaN) && age < (bucketStarts[bucket + 1] ?? NaN)).toBe(true)
  }
})

test('the census counts every waiting block at its age, and where it was used or lost', () => {
  const classes = 3
  const step = fc.record({
    skip: fc.constantFrom(1, 1, 2, 50, 5_000),
    kind: fc.constantFrom('enter', 'hit', 'lose'),
    pick: fc.nat(1_000),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const census = new ReuseCensus(classes)
      let now = 0
      let waiting: { reuseClass: number; lastUse: number }[] = []
      const ends = { hit: new Float64Array(classes * ageBuckets), lose: new Float64Array(classes * ageBuckets) }
      for (const { skip, kind, pick } of steps) {
        for (let count = 0; count < skip; count++, now++) census.advance()
        const one = waiting[pick % Math.max(1, waiting.length)]
        if (kind === 'enter' || one === undefined) {
          census.enter(pick % classes, now)
          waiting.push({ reuseClass: pick % classes, lastUse: now })
          continue
        }
        census[kind](one.reuseClass, one.lastUse)
        const cell = one.reuseClass * ageBuckets + ageBucket(now - one.lastUse)
        ends[kind][cell] = (ends[kind][cell] ?? 0) + 1
        waiting = waiting.filter((other) => other !== one)
      }
      const expected = new Float64Array(classes * ageBuckets)
      for (const { reuseClass, lastUse } of waiting) {
        const cell = reuseClass * ageBuckets + ageBucket(now - lastUse)
        expected[cell] = (expected[cell] ?? 0) + 1
      }
      expect(census.waiting).toEqual(expected)
      expect(census.hits).toEqual(ends.hit)
      expect(census.lost).toEqual(ends.lose)
    }),
    { numRuns: 50 },
  )
})
