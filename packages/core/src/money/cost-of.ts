import type { PicoUsd } from '../domain/money.ts'
import { picoUsd } from '../domain/money.ts'
import type { Usage } from '../domain/usage.ts'
import { inputTokens } from '../domain/usage.ts'
import { roundedQuotient } from './decimal.ts'
import type { Price } from './price.ts'

/** What one answer cost, exactly; `total` is the sum of the four parts. */
export interface Cost {
  readonly total: PicoUsd
  /** Input at the plain rate. */
  readonly fresh: PicoUsd
  readonly read: PicoUsd
  /** Of all lives. */
  readonly write: PicoUsd
  readonly output: PicoUsd
  /** What it would have cost without a cache: all input at the plain rate, and the output. */
  readonly counterfactual: PicoUsd
}

/**
 * Cost of an answer under a price, or `undefined` where it is not known: plain input or output was not reported, reads
 * were not although they have a price of their own, or tokens were counted for which the price has no rate.
 *
 * @example costOf(usage, price)?.total
 */
export function costOf(usage: Usage, price: Price): Cost | undefined {
  if (mayBeDiscounted(usage, price)) return undefined
  const tokens = inputTokens(usage)
  const known = allKnown([
    usage.output === undefined ? undefined : partOf(usage.output, price.output),
    partOf(usage.read, price.read),
    sumOf(writeBuckets.map((bucket) => partOf(usage[bucket], price[bucket]))),
    partOf(usage.fresh, price.input),
    tokens === undefined ? undefined : partOf(tokens, price.input),
  ])
  if (known === undefined) return undefined
  const [output, read, write, fresh, uncached] = known
  return {
    total: picoUsd(fresh + read + write + output),
    fresh: picoUsd(fresh),
    read: picoUsd(read),
    write: picoUsd(write),
    output: picoUsd(output),
    counterfactual: picoUsd(uncached + output),
  }
}

const writeBuckets = ['write5m', 'write30m', 'write1h', 'write12h'] as const

/** Reads that were not reported although they have a price of their own: the cost could be either. */
function mayBeDiscounted({ fresh, read }: Usage, price: Price): boolean {
  return read === undefined && (fresh ?? 0) > 0 && price.read !== undefined && price.read !== price.input
}

/**
 * Cost of keeping a cache, rounded once to a picodollar, or `undefined` where it is not known what storage costs.
 * @example costOfStorage(price, 9_216 * 0.25) // 9,216 tokens for a quarter of an hour
 */
export function costOfStorage(price: Price, tokenHours: number): PicoUsd | undefined {
  if (tokenHours === 0) return picoUsd(0n)
  if (price.storagePerTokenHour === undefined) return undefined
  const tokenMs = BigInt(Math.round(tokenHours * hourMs))
  return picoUsd(roundedQuotient(tokenMs * price.storagePerTokenHour, BigInt(hourMs)))
}

const hourMs = 3_600_000

/** Nothing of something unknown is nothing. */
function partOf(tokens: number | undefined, rate: PicoUsd | undefined): bigint | undefined {
  if (tokens === undefined || tokens === 0) return 0n
  return rate === undefined ? undefined : BigInt(tokens) * rate
}

/** All of them, or nothing. */
function allKnown<Values extends readonly unknown[]>(
  values: readonly [...Values],
): { [Index in keyof Values]: Exclude<Values[Index], undefined> } | undefined {
  // No value is undefined, which is all that the type adds.
  return values.includes(undefined)
    ? undefined
    : (values as { [Index in keyof Values]: Exclude<Values[Index], undefined> })
}

function sumOf(parts: readonly (bigint | undefined)[]): bigint | undefined {
  let sum = 0n
  for (const part of parts) {
    if (part === undefined) return undefined
    sum += part
  }
  return sum
}
