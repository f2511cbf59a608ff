import { oneOf } from './gbnf.ts'

/** Digits of the integers that grammars without a bound allow. */
const mostDigits = 15

/**
 * A grammar for the integers of a range, without leading zeros.
 * @throws RangeError when there is none
 * @example integerRange(0, 120) // '("0" | [1-9] | [1-9] [0-9] | "1" [0-1] [0-9] | "120")'
 */
export function integerRange(least: number | undefined, most: number | undefined): string {
  const low = Math.max(least ?? -Infinity, -largest)
  const high = Math.min(most ?? Infinity, largest)
  const alternatives: string[] = []
  if (low < 0) {
    const sizes = naturals(Math.max(1, -Math.min(high, -1)), -low)
    alternatives.push(...sizes.map((digits) => `"-" ${digits}`))
  }
  if (high >= 0) alternatives.push(...naturals(Math.max(0, low), high))
  if (alternatives.length === 0) throw new RangeError(`no integer lies from ${least} to ${most}`)
  return oneOf(alternatives)
}

const largest = 10 ** mostDigits - 1

/** Patterns that together stand for the natural numbers from `low` to `high`. */
function naturals(low: number, high: number): string[] {
  const patterns: string[] = []
  for (let digits = String(low).length; digits <= String(high).length; digits++) {
    const from = Math.max(low, digits === 1 ? 0 : 10 ** (digits - 1))
    const to = Math.min(high, 10 ** digits - 1)
    if (from <= to) patterns.push(...digitsBetween(String(from), String(to)))
  }
  return patterns
}

/**
 * Patterns for the numbers between two of equally many digits, zeros in front included.
 * @example digitsBetween('05', '17') // ['"0" [5-9]', '"1" [0-7]']
 */
export function digitsBetween(from: string, to: string): string[] {
  const [first, last] = [Number(from[0]), Number(to[0])]
  if (from.length === 1) return [digitRange(first, last)]
  const [fromRest, toRest] = [from.slice(1), to.slice(1)]
  const behind = (digit: number, rests: readonly string[]): string[] => rests.map((rest) => `"${digit}" ${rest}`)
  if (first === last) return behind(first, digitsBetween(fromRest, toRest))
  const zeros = '0'.repeat(fromRest.length)
  const nines = '9'.repeat(fromRest.length)
  const patterns: string[] = []
  const low = fromRest === zeros ? first : first + 1
  const high = toRest === nines ? last : last - 1
  if (low > first) patterns.push(...behind(first, digitsBetween(fromRest, nines)))
  if (low <= high) patterns.push(`${digitRange(low, high)} ${anyDigits(fromRest.length)}`)
  if (high < last) patterns.push(...behind(last, digitsBetween(zeros, toRest)))
  return patterns
}

function digitRange(from: number, to: number): string {
  return from === to ? `"${from}"` : `[${from}-${to}]`
}

function anyDigits(count: number): string {
  return count === 1 ? '[0-9]' : `[0-9]{${count}}`
}
