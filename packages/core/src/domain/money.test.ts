import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { picoUsd, usd, usdText } from './money.ts'

test.each([
  [0n, '0'],
  [1n, '0.000000000001'],
  [-1n, '-0.000000000001'],
  [334_500_000_000n, '0.3345'],
  [3_000_000_000_000n, '3'],
  [-1_250_000_000_000n, '-1.25'],
])('%d pico-dollars are %s USD', (pico, text) => {
  expect(usdText(picoUsd(pico))).toBe(text)
})

test('the text of an amount is the amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n }), (pico) => {
      const text = usdText(picoUsd(pico))
      const [whole = '', fraction = ''] = text.replace('-', '').split('.')
      const size = BigInt(whole + fraction.padEnd(12, '0'))
      expect(text.startsWith('-') ? -size : size).toBe(pico)
    }),
  )
})

test('a number for JSON is the nearest one', () => {
  expect(usd(picoUsd(334_500_000_000n))).toBe(0.3345)
})
