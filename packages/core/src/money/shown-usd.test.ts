import { expect, test } from 'vitest'
import { picoUsd } from '../domain/money.ts'
import { shownUsd } from './shown-usd.ts'

test('P-4 amounts are rounded once, when they are shown: 3.00 and 0.335', () => {
  const shown = (pico: bigint): string => shownUsd(picoUsd(pico))
  expect(shown(3_000_000_000_000n)).toBe('3.00')
  expect(shown(334_500_000_000n)).toBe('0.335')
  expect(shown(334_499_999_999n)).toBe('0.334')
  expect(shown(37_500_000_000n)).toBe('0.0375')
  expect(shown(12_345_678n)).toBe('0.0000123')
  expect(shown(1n)).toBe('0.000000000001')
  expect(shown(0n)).toBe('0.00')
  expect(shown(999_900_000_000n)).toBe('1.00')
  expect(shown(1_234_565_000_000_000n)).toBe('1234.57')
  expect(shown(-2_665_500_000_000n)).toBe('-2.67')
  expect(shown(500_000_000_000n)).toBe('0.50')
})
