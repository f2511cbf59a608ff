import type { PicoUsd } from '../domain/money.ts'
import { picoUsd } from '../domain/money.ts'
import { breakEvenReads, breakEvenReadsPerHour } from './break-even.ts'
import { costOfStorage } from './cost-of.ts'
import type { Forecast, Life } from './forecast.ts'
import { forecast, pingsFor, spanHours } from './forecast.ts'
import { reasonsAgainst } from './plan-reasons.ts'
import type { Price } from './price.ts'
import { writeTtls } from './price.ts'
import type { KeepAlive, PlanLife, PlanOption, SavingsInput, SavingsPlan } from './savings-plan.ts'

/**
 * What caching would save, before it is adopted: for each life the formula
 * `writes x tokens x write price + reads x tokens x read price` (and storage) against `requests x tokens x input price`.
 *
 * @example planSavings({ ...input, cacheableTokens: 10_000, requests: 100 })
 */
export function planSavings(input: SavingsInput): SavingsPlan {
  const { price, cacheableTokens, requests } = input
  if (price.input === undefined || price.read === undefined) {
    return { verdict: 'unknown', missing: missingOf(price) }
  }
  const rates = { input: price.input, read: price.read }
  const uncached = picoUsd(BigInt(requests) * BigInt(cacheableTokens) * price.input)
  const lives = livesOf(input)
  const options = lives.flatMap((life) => optionFor(life, { ...input, rates, uncached }))
  const [best] = [...options].sort((a, b) => compare(savedBy(b), savedBy(a)))
  if (best === undefined) return { verdict: 'unknown', missing: ['write'] }
  const verdict = savedBy(best) > 0n ? 'cache' : 'do_not_cache'
  return {
    verdict,
    uncached,
    rest: restOf(input),
    options,
    best,
    keepAlive: best.keepAlive !== undefined && best.keepAlive.saved > best.saved,
    unpriced: lives.map(({ name }) => name).filter((name) => options.every(({ life }) => life !== name)),
    reasons: verdict === 'cache' ? [] : best.reasons,
  }
}

/** What an option saves where it is kept in the better way. */
export function savedBy({ saved, keepAlive }: PlanOption): PicoUsd {
  return keepAlive !== undefined && keepAlive.saved > saved ? keepAlive.saved : saved
}

interface OptionContext extends SavingsInput {
  readonly rates: { readonly input: PicoUsd; readonly read: PicoUsd }
  readonly uncached: PicoUsd
}

const ttlSeconds = { '5m': 300, '30m': 1800, '1h': 3600, '12h': 43_200 } as const

/**
 * Where writing costs the same for every life the provider keeps caches by itself; where it has prices of its own, for
 * the lives that have one. A price for storage offers to store as well.
 */
function livesOf({ price, automaticSeconds }: SavingsInput): Life[] {
  const isPlain = writeTtls.every((ttl) => price[`write${ttl}`] === price.input)
  const priced = writeTtls.filter((ttl) => price[`write${ttl}`] !== undefined)
  const lives: Life[] = isPlain
    ? [{ name: 'automatic', seconds: automaticSeconds }]
    : priced.map((name) => ({ name, seconds: ttlSeconds[name] }))
  return price.storagePerTokenHour === undefined ? lives : [...lives, { name: 'stored', seconds: undefined }]
}

function optionFor(life: Life, context: OptionContext): PlanOption[] {
  const write =
    life.name === 'automatic' || life.name === 'stored' ? context.rates.input : context.price[`write${life.name}`]
  if (write === undefined) return []
  const { rates, uncached } = context
  const { writes, reads, expired } = forecastOf(life, context)
  const storageHours = life.name === 'stored' && writes > 0 ? spanHours(context) : 0
  const storageCost = costOfStorage(context.price, context.cacheableTokens * storageHours) ?? picoUsd(0n)
  const cost = picoUsd(costOfTokens(context, { writes, reads, write }) + storageCost)
  const option = {
    life: life.name,
    seconds: life.seconds,
    atBest: life.name === 'automatic' && life.seconds === undefined && context.arrivals.kind !== 'within-life',
    writes,
    reads,
    storageHours,
    storageCost,
    cost,
    saved: picoUsd(uncached - cost),
    breakEvenReads: breakEvenReads({ ...rates, write }),
    breakEvenReadsPerHour: life.name === 'stored' ? perHourOf(context) : undefined,
    keepAlive: expired === 0 ? undefined : keepAliveFor(life, { ...context, write }),
  }
  return [{ ...option, reasons: option.saved > 0n ? [] : reasonsAgainst(option, context) }]
}

/** Below the minimum nothing is cached, and nothing extra is billed for having asked. */
function forecastOf(life: Life, context: OptionContext): Forecast {
  const { minTokens, cacheableTokens } = context
  const isTooShort = minTokens !== undefined && cacheableTokens < minTokens
  return isTooShort ? { writes: 0, reads: 0, expired: 0 } : forecast(context, life)
}

/** Of the shared tokens of all requests: those that neither write nor read pay the plain rate. */
function costOfTokens(
  { requests, cacheableTokens, rates }: OptionContext,
  { writes, reads, write }: { readonly writes: number; readonly reads: number; readonly write: PicoUsd },
): bigint {
  const perToken = BigInt(requests - writes - reads) * rates.input + BigInt(writes) * write + BigInt(reads) * rates.read
  return BigInt(cacheableTokens) * perToken
}

function perHourOf({ price: { storagePerTokenHour }, rates }: OptionContext): number | undefined {
  return storagePerTokenHour === undefined ? undefined : breakEvenReadsPerHour({ ...rates, storagePerTokenHour })
}

/** Part of a life after which a ping goes out: early enough that a slow one still arrives in time. */
const pingAfter = 0.8

function keepAliveFor(life: Life, context: OptionContext & { write: PicoUsd }): KeepAlive | undefined {
  if (life.seconds === undefined || life.name === 'automatic') return undefined
  const { cacheableTokens, rates, uncached, write } = context
  const everySeconds = life.seconds * pingAfter
  const pings = pingsFor(context, life.seconds, everySeconds)
  const { writes, reads } = forecast({ ...context, arrivals: { kind: 'within-life' } }, life)
  const pingCost = picoUsd(BigInt(pings) * BigInt(cacheableTokens) * rates.read)
  const cost = picoUsd(costOfTokens(context, { writes, reads, write }) + pingCost)
  return { everySeconds, pings, pingCost, cost, saved: picoUsd(uncached - cost) }
}

function restOf({ price, requests, varyingTokens, outputTokens }: SavingsInput): PicoUsd | undefined {
  if (price.input === undefined || (price.output === undefined && outputTokens > 0)) return undefined
  const perRequest = BigInt(varyingTokens) * price.input + BigInt(outputTokens) * (price.output ?? picoUsd(0n))
  return picoUsd(BigInt(requests) * perRequest)
}

function missingOf(price: Price): string[] {
  return (['input', 'read'] as const).filter((name) => price[name] === undefined)
}

function compare(a: PicoUsd, b: PicoUsd): number {
  return a === b ? 0 : a < b ? -1 : 1
}

/** @example lifeInWords('automatic') // 'kept by the provider' */
export function lifeInWords(life: PlanLife): string {
  if (life === 'automatic') return 'kept by the provider'
  return life === 'stored' ? 'stored by the hour' : life
}
