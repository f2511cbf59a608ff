import type { PicoUsd } from '../domain/money.ts'
import { picoUsd, usdText } from '../domain/money.ts'
import { roundedQuotient } from './decimal.ts'

/** Digits that are shown of an amount below a dollar. */
const significant = 3
const picoDigits = 12

/**
 * An amount in dollars for people: cents from a dollar on, three significant digits below; half a unit goes up.
 * @example shownUsd(picoUsd(334_500_000_000n)) // '0.335'
 */
export function shownUsd(amount: PicoUsd): string {
  const pico: bigint = amount
  const size = pico < 0n ? -pico : pico
  const digits = size.toString().length
  const kept = digits > picoDigits ? 2 : Math.min(picoDigits, Math.max(2, picoDigits - digits + significant))
  const unit = 10n ** BigInt(picoDigits - kept)
  const rounded = roundedQuotient(size, unit) * unit
  const [whole = '0', fraction = ''] = usdText(picoUsd(rounded)).split('.')
  return `${amount < 0n && rounded > 0n ? '-' : ''}${whole}.${fraction.padEnd(2, '0')}`
}
