import { expect, test } from 'vitest'
import {
  axisCount,
  countText,
  dollarText,
  exactDollars,
  millisecondText,
  percentText,
  rateText,
  shareOf,
  shortCount,
} from './amounts.ts'

test('what nobody reported is said in words and never shown as 0', () => {
  for (const value of [null, undefined]) {
    expect([countText(value), shortCount(value), percentText(value), millisecondText(value)]).toEqual(
      Array.from({ length: 4 }, () => 'not reported'),
    )
    expect([dollarText(value), exactDollars(value)]).toEqual(['not known', 'not known'])
  }
  expect(countText(0)).toBe('0')
  expect(dollarText(0)).toBe('$0.00')
})

test.each([
  [12.3456, '$12.35'],
  [1, '$1.00'],
  [0.5, '$0.50'],
  [0.31, '$0.31'],
  [0.0042, '$0.0042'],
  [0.001234567, '$0.00123'],
  [0.000000000001, '$0.000000000001'],
  [-0.04, '−$0.04'],
  [-1234.5, '−$1,234.50'],
])('%d dollars are shown as %s', (value, text) => {
  expect(dollarText(value)).toBe(text)
})

test('all digits of an amount can be had, without those of binary fractions', () => {
  expect(exactDollars(0.1 + 0.2)).toBe('$0.3')
  expect(exactDollars(-0.000000000001)).toBe('−$0.000000000001')
  expect(exactDollars(3)).toBe('$3')
})

test.each([
  [0, '0 %'],
  [1, '100 %'],
  [0.99999, '99.9 %'],
  [0.0001, '< 0.1 %'],
  [0.4321, '43.2 %'],
  [-0.25, '−25 %'],
])('a share of %d is shown as %s: all or nothing only where it is', (share, text) => {
  expect(percentText(share)).toBe(text)
})

test('times are in the unit that a person would use', () => {
  expect([0.4, 12.6, 999.4, 1_234, 80_000, 123_456].map(millisecondText)).toEqual([
    '0.4 ms',
    '13 ms',
    '999 ms',
    '1.23 s',
    '80.0 s',
    '123 s',
  ])
})

test('a share of nothing is no share', () => {
  expect(shareOf(0, 0)).toBeUndefined()
  expect(shareOf(null, 5)).toBeUndefined()
  expect(shareOf(2, 8)).toBe(0.25)
})

test('rates and axes are short', () => {
  expect([12.34, 0.5, 0.001].map(rateText)).toEqual(['12 a second', '30 a minute', '3.6 an hour'])
  expect([0, 950, 20_000, 1_500_000].map(axisCount)).toEqual(['0', '950', '20K', '1.5M'])
})
