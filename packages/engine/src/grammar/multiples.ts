import type { GrammarRules } from './gbnf.ts'
import { emptyTrie } from './literal-trie.ts'

/** Most numbers that are listed one by one. */
const mostListed = 2_000
/** Largest divisor whose remainders are followed digit by digit, and the digits of such numbers. */
const most = { divisor: 60, digits: 12 }

/**
 * A grammar for whole multiples of a number; `undefined` where there is none of ours.
 * @example multiplesOf(rules, 15, { least: 0, most: 59 }) // '("0" | "15" | "30" | "45")'
 */
export function multiplesOf(
  rules: GrammarRules,
  divisor: number,
  { least, most: largest }: { readonly least?: number; readonly most?: number },
): string | undefined {
  if (!Number.isInteger(divisor) || divisor < 1) return undefined
  if (least !== undefined && largest !== undefined) {
    const first = Math.ceil(least / divisor)
    const count = Math.floor(largest / divisor) - first + 1
    if (count < 1 || count > mostListed) return undefined
    let trie = emptyTrie
    for (let index = 0; index < count; index++) trie = trie.with(String((first + index) * divisor + 0), '')
    return trie.body(rules)
  }
  if ((least ?? -1) > 0 || (largest ?? 1) < 0 || divisor > most.divisor) return undefined
  // Without a bound on one side numbers go from zero to the other.
  const natural = `("0" | ${digits(rules, divisor)})`
  const negative = `"-" ${digits(rules, divisor)}`
  if (least !== undefined) return least === 0 ? natural : undefined
  if (largest !== undefined) return largest === 0 ? `("0" | ${negative})` : undefined
  return `(${natural} | ${negative})`
}

/** Naturals without zero: what is left of a number modulo the divisor, after each of its digits. */
function digits(rules: GrammarRules, divisor: number): string {
  const after = (remainder: number, left: number, names: readonly (string | undefined)[]): string => {
    const ways = new Map<number, string>()
    for (let digit = 0; digit <= 9; digit++) {
      const next = (remainder * 10 + digit) % divisor
      ways.set(next, (ways.get(next) ?? '') + String(digit))
    }
    const further = [...ways].flatMap(([next, set]) => (names[next] === undefined ? [] : [`[${set}] ${names[next]}`]))
    const end = remainder === 0 ? ['""'] : []
    return left === 0 || further.length === 0 ? (end[0] ?? '') : [...end, ...further].join(' | ')
  }
  let names: (string | undefined)[] = []
  for (let left = 0; left < most.digits; left++) {
    const behind = names
    names = Array.from({ length: divisor }, (_, remainder) => {
      const body = after(remainder, left, behind)
      return body === '' ? undefined : rules.add('digits', body)
    })
  }
  const first = new Map<number, string>()
  for (let digit = 1; digit <= 9; digit++)
    first.set(digit % divisor, (first.get(digit % divisor) ?? '') + String(digit))
  return `(${[...first].flatMap(([next, set]) => (names[next] === undefined ? [] : [`[${set}] ${names[next]}`])).join(' | ')})`
}
