import { oneOf } from './gbnf.ts'
import { digitsBetween, integerRange } from './integer-range.ts'

/** Bounds of numbers, as a schema has them. */
export interface NumberBounds {
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly exclusiveMinimum: number | undefined
  readonly exclusiveMaximum: number | undefined
}

/** Largest number that is written with digits only. */
const largest = 1e15 - 1
/** Digits behind the point that bounds may have. */
const mostDecimals = 6

/** Least and largest whole number within bounds; `undefined` = there is no bound. */
export function wholeBounds(bounds: NumberBounds): { readonly least?: number; readonly most?: number } {
  const lows = [
    ...(bounds.minimum === undefined ? [] : [Math.ceil(bounds.minimum)]),
    ...(bounds.exclusiveMinimum === undefined ? [] : [Math.floor(bounds.exclusiveMinimum) + 1]),
  ]
  const highs = [
    ...(bounds.maximum === undefined ? [] : [Math.floor(bounds.maximum)]),
    ...(bounds.exclusiveMaximum === undefined ? [] : [Math.ceil(bounds.exclusiveMaximum) - 1]),
  ]
  return {
    ...(lows.length === 0 ? {} : { least: Math.max(...lows) }),
    ...(highs.length === 0 ? {} : { most: Math.min(...highs) }),
  }
}

/**
 * A grammar for some numbers within bounds, at least one; `undefined` where digits cannot express them.
 * @param decimals most digits behind the point, where the schema asks for multiples of 0.1, 0.01, ...
 * @example numberRange({ minimum: 0.5, maximum: 2 }) // '("0." ... | "1" ("." ...)? | "2")'
 */
export function numberRange(bounds: NumberBounds, decimals?: number): string | undefined {
  const { least, most } = wholeBounds(bounds)
  const [low, high] = [least ?? -largest, most ?? largest]
  if (low > largest || high < -largest) return undefined
  const alternatives: string[] = []
  if (low <= high) {
    alternatives.push(integerRange(low, high))
    const fraction = decimals === 0 ? undefined : `"." [0-9]{1,${decimals ?? 15}}`
    if (fraction !== undefined && high - 1 >= Math.max(0, low))
      alternatives.push(`${integerRange(Math.max(0, low), high - 1)} ${fraction}`)
    if (fraction !== undefined && low + 1 <= Math.min(-1, high))
      alternatives.push(`${integerRange(low + 1, Math.min(-1, high))} ${fraction}`)
  } else {
    const between = fractionsBetween(bounds, decimals)
    if (between === undefined) return undefined
    alternatives.push(between)
  }
  return oneOf(alternatives)
}

/** Numbers between bounds that have no whole number between them, with a fixed count of digits behind the point. */
function fractionsBetween(bounds: NumberBounds, decimals: number | undefined): string | undefined {
  const lower = Math.max(bounds.minimum ?? -Infinity, bounds.exclusiveMinimum ?? -Infinity)
  const upper = Math.min(bounds.maximum ?? Infinity, bounds.exclusiveMaximum ?? Infinity)
  const digits = decimals ?? Math.min(mostDecimals, Math.max(decimalsOf(lower), decimalsOf(upper)) + 2)
  const negative = upper <= 0
  const [from, to] = negative ? [-upper, -lower] : [lower, upper]
  const unit = 10 ** digits
  const whole = Math.floor(from)
  const isOut = (count: number): boolean => {
    const value = Number(`${negative ? '-' : ''}${whole}.${pad(count, digits)}`)
    return !(
      value >= (bounds.minimum ?? -Infinity) &&
      value <= (bounds.maximum ?? Infinity) &&
      value > (bounds.exclusiveMinimum ?? -Infinity) &&
      value < (bounds.exclusiveMaximum ?? Infinity)
    )
  }
  let first = Math.max(0, Math.floor((from - whole) * unit) - 1)
  let last = Math.min(unit - 1, Math.ceil((to - whole) * unit) + 1)
  // Rounding of the products is less than two units.
  for (let step = 0; step < 4 && isOut(first); step++) first++
  for (let step = 0; step < 4 && isOut(last); step++) last--
  if (first > last || isOut(first) || isOut(last) || whole > largest) return undefined
  return `"${negative ? '-' : ''}${whole}." ${oneOf(digitsBetween(pad(first, digits), pad(last, digits)))}`
}

function pad(count: number, digits: number): string {
  return String(count).padStart(digits, '0')
}

function decimalsOf(bound: number): number {
  return /\.(\d+)$/.exec(String(bound))?.[1]?.length ?? 0
}
