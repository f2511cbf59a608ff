import type { Brand } from './units.ts'

/**
 * Money: a whole number of pico-dollars (10^-12 USD), negative for a loss. A token at 1 USD per million tokens costs
 * 10^6 of them, so that costs are exact in every price list, and amounts are rounded once, when they are shown.
 */
export type PicoUsd = Brand<bigint, 'PicoUsd'>

/** @example picoUsd(334_500_000_000n) // 0.3345 USD */
export function picoUsd(value: bigint): PicoUsd {
  return value as PicoUsd
}

/**
 * The exact amount in dollars as decimal text, without trailing zeros.
 * @example usdText(picoUsd(334_500_000_000n)) // '0.3345'
 */
export function usdText(amount: PicoUsd): string {
  const pico: bigint = amount
  const digits = (pico < 0n ? -pico : pico).toString().padStart(fractionDigits + 1, '0')
  const fraction = digits.slice(-fractionDigits).replace(/0+$/, '')
  const sign = pico < 0n ? '-' : ''
  return `${sign}${digits.slice(0, -fractionDigits)}${fraction === '' ? '' : `.${fraction}`}`
}

/**
 * The amount in dollars as the nearest number, for JSON.
 * @example usd(picoUsd(334_500_000_000n)) // 0.3345
 */
export function usd(amount: PicoUsd): number {
  return Number(usdText(amount))
}

const fractionDigits = 12
