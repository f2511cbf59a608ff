import type { Spread } from './statistics.ts'

/**
 * Median (least-most).
 * @example shown(spread([1, 2, 3]), 0) // '2 (1-3)'
 */
export function shown({ p50, min, max }: Spread, digits: number): string {
  const number = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${number(p50)} (${number(min)}-${number(max)})`
}

/** Tells how far a run is, on stderr, so that stdout has the result alone. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`)
}
