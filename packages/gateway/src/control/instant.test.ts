import { epochMs } from '@incipit/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantFrom } from './instant.ts'

const now = epochMs(Date.UTC(2026, 10, 25, 12))

test.each([
  ['2026-11-01T09:30:00Z', '2026-11-01T09:30:00.000Z'],
  ['2026-11-01T09:30:00.5z', '2026-11-01T09:30:00.500Z'],
  ['2026-11-01T09:30Z', '2026-11-01T09:30:00.000Z'],
  ['2026-11-01T09:30:00+01:00', '2026-11-01T08:30:00.000Z'],
  ['2026-11-01T09:30:00 01:00', '2026-11-01T08:30:00.000Z'],
  ['2026-11-01 09:30:00-0330', '2026-11-01T13:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['1793523600000', '2026-11-01T09:00:00.000Z'],
  ['now', '2026-11-25T12:00:00.000Z'],
  ['-90s', '2026-11-25T11:58:30.000Z'],
  ['-30m', '2026-11-25T11:30:00.000Z'],
  ['-24h', '2026-11-24T12:00:00.000Z'],
  ['-7d', '2026-11-18T12:00:00.000Z'],
  ['-2w', '2026-11-11T12:00:00.000Z'],
])('%s is %s', (text, instant) => {
  expect(at(text)).toBe(instant)
})

test.each([
  'yesterday',
  '2026',
  '2026-11',
  '2026-13-01',
  '2026-02-29',
  '2026-04-31',
  '2026-11-00',
  '2026-11-01T24:00:00Z',
  '2026-11-01T09:60:00Z',
  '2026-11-01T09:30:00+15:00',
  '2026-11-01T09:30:00+01:75',
  '1969-12-31',
  '-7',
  '7d',
  '-7y',
  '1793523600',
  '',
])('%j is refused with what is allowed', (text) => {
  expect(() => at(text)).toThrow(/since is ".*, allowed are a date/)
})

test('a time without a zone is refused by that reason', () => {
  expect(() => at('2026-11-01T09:30:00')).toThrow('(a time without a zone)')
})

test.each([
  ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z'],
  ['Europe/Berlin', '2026-03-30', '2026-03-29T22:00:00.000Z'],
  ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z'],
  ['Europe/Berlin', '2026-10-26', '2026-10-25T23:00:00.000Z'],
  ['America/New_York', '2026-11-01', '2026-11-01T04:00:00.000Z'],
  ['America/New_York', '2026-11-02', '2026-11-02T05:00:00.000Z'],
  ['Asia/Kathmandu', '2026-11-01', '2026-10-31T18:15:00.000Z'],
  ['Pacific/Kiritimati', '2026-11-01', '2026-10-31T10:00:00.000Z'],
  // Clocks leapt from midnight to one.
  ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
  ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z'],
  // Samoa had no 30 December 2011: the day begins where the next one does.
  ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z'],
])('in %s the day %s begins at %s', (timeZone, day, instant) => {
  expect(at(day, timeZone)).toBe(instant)
})

test('property: a day begins at the first of its hours, in every zone', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Tehran']
  fc.assert(
    fc.property(fc.constantFrom(...zones), fc.integer({ min: 0, max: 20_000 }), (timeZone, number) => {
      const day = new Date(number * 86_400_000).toISOString().slice(0, 10)
      const begin = instantFrom(day, 'since', { now, timeZone })
      expect([localDay(begin, timeZone), localDay(begin - 1, timeZone)]).toEqual([day, dayBefore(day)])
    }),
  )
})

function at(text: string, timeZone = 'UTC'): string {
  return new Date(instantFrom(text, 'since', { now, timeZone })).toISOString()
}

function localDay(instant: number, timeZone: string): string {
  // Swedes write dates as ISO 8601 does.
  return new Date(instant).toLocaleDateString('sv-SE', { timeZone })
}

function dayBefore(day: string): string {
  return new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10)
}
