import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { cut, levels } from './pieces.ts'

const [quarter, hour, day] = levels

test('a day and ragged ends are cut into single events, quarters, hours and the day', () => {
  expect(cut([day - hour - quarter - 1, 2 * day + hour + 1])).toEqual([
    { width: undefined, since: day - hour - quarter - 1, until: day - hour - quarter },
    { width: quarter, since: day - hour - quarter, until: day - hour },
    { width: hour, since: day - hour, until: day },
    { width: day, since: day, until: 2 * day },
    { width: hour, since: 2 * day, until: 2 * day + hour },
    { width: undefined, since: 2 * day + hour, until: 2 * day + hour + 1 },
  ])
})

test('pieces cover the time once, no cell crosses a bound, and events are read of less than two quarters a bound', () => {
  const bound = fc.oneof(
    fc.integer({ min: -400, max: 400 }).map((quarters) => quarters * quarter),
    fc.integer({ min: -4 * day, max: 4 * day }),
  )
  const bounds = fc.uniqueArray(bound, { minLength: 2, maxLength: 8 }).map((bounds) => bounds.sort((a, b) => a - b))
  const property = fc.property(bounds, (bounds) => {
    const pieces = cut(bounds)
    expect(pieces[0]?.since).toBe(bounds[0])
    expect(pieces.at(-1)?.until).toBe(bounds.at(-1))
    expect(pieces.slice(1).map(({ since }) => since)).toEqual(pieces.slice(0, -1).map(({ until }) => until))
    expect(pieces.every(({ since, until }) => since < until)).toBe(true)
    const events = pieces.filter(({ width }) => width === undefined)
    expect(events.filter(({ since, until }) => until - since >= quarter * bounds.length)).toEqual([])
    const cells = pieces.flatMap(({ width, ...piece }) => (width === undefined ? [] : [{ width, ...piece }]))
    expect(cells.filter(({ width, since, until }) => since % width !== 0 || until % width !== 0)).toEqual([])
    const crossed = cells.filter(({ width, since, until }) =>
      bounds.some((bound) => bound > since && bound < until && bound % width !== 0),
    )
    expect(crossed).toEqual([])
  })
  fc.assert(property)
})

test('nothing between two bounds is no piece', () => {
  expect(cut([5, 5])).toEqual([])
  expect(cut([5])).toEqual([])
})
