import type { PicoUsd } from '../domain/money.ts'
import { picoUsd } from '../domain/money.ts'

/** A non-negative decimal number as text, such as `0.075`: no price is ever a binary fraction. */
export type DecimalText = string

/** A decimal number, exact: `digits` / 10^`places`. */
export interface Decimal {
  readonly digits: bigint
  readonly places: number
}

/** Longest text read as a number; a price has a dozen digits. */
const mostCharacters = 40

/**
 * @throws RangeError when the text is no plain decimal number, or a negative one
 * @example parseDecimal('0.075') // { digits: 75n, places: 3 }
 */
export function parseDecimal(text: DecimalText): Decimal {
  if (text.length > mostCharacters || !/^\d+(?:\.\d+)?$/.test(text)) {
    throw new RangeError(`not a decimal number: ${text.slice(0, mostCharacters)}`)
  }
  const point = text.indexOf('.')
  if (point < 0) return { digits: BigInt(text), places: 0 }
  return { digits: BigInt(text.slice(0, point) + text.slice(point + 1)), places: text.length - point - 1 }
}

/**
 * A price in USD per million tokens as picodollars per token: both are whole where the price has at most six decimals.
 * @throws RangeError when the price is finer than that
 * @example picoPerToken('0.075') // 75000n
 */
export function picoPerToken(usdPerMillion: DecimalText): PicoUsd {
  const { digits, places } = parseDecimal(usdPerMillion)
  return exactQuotient(digits * 1_000_000n, 10n ** BigInt(places), usdPerMillion)
}

/**
 * A rate times a decimal number, such as 0.5 for a batch.
 * @throws RangeError when the product is no whole number of picodollars
 * @example timesDecimal(picoPerToken('0.075'), '0.5') // 37500n
 */
export function timesDecimal(rate: PicoUsd, factor: DecimalText): PicoUsd {
  const { digits, places } = parseDecimal(factor)
  return exactQuotient(rate * digits, 10n ** BigInt(places), factor)
}

/**
 * `numerator / denominator`, the half rounded up; of numbers that are not negative.
 * @example roundedQuotient(5n, 2n) // 3n
 */
export function roundedQuotient(numerator: bigint, denominator: bigint): bigint {
  return (2n * numerator + denominator) / (2n * denominator)
}

function exactQuotient(numerator: bigint, denominator: bigint, shown: DecimalText): PicoUsd {
  if (numerator % denominator !== 0n) {
    throw new RangeError(`with ${shown} a token costs a fraction of 1e-12 USD, the finest amount there is`)
  }
  return picoUsd(numerator / denominator)
}
