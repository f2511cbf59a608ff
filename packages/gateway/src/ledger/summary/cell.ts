import type { SqlRow } from '../driver.ts'
import { promptSizeOf, promptSizes } from './prompt-size.ts'
import { ttftBinOf, ttftBins } from './ttft-bins.ts'

/**
 * What a cell adds up, by name. All of it is whole numbers, so that what was added can be taken away again without a
 * trace: times in microseconds, token-hours in millionths, money (`moneyNames`) as micro-dollars and the rest in
 * pico-dollars, because a double holds no more than 9,007 dollars of those. New names are added at the end.
 */
export const moneyNames = [
  'cost',
  'costRead',
  'costWrite',
  'costOutput',
  'counterfactual',
  'comparedCost',
  'controlCost',
  'controlCounterfactual',
  'pingCost',
  'prewarmCost',
  'storageCost',
] as const

const countNames = [
  /** Events of any kind: a cell without any is no cell. */
  'events',
  'requests',
  'warm',
  'partial',
  'failed',
  'unreported',
  'attempts',
  'input',
  'cached',
  'output',
  'fresh',
  'read',
  'write5m',
  'write30m',
  'write1h',
  'write12h',
  'unpriced',
  'busyMicroseconds',
  'firstRequests',
  'firstInput',
  'firstCached',
  'sameSessionRequests',
  'sameSessionInput',
  'sameSessionCached',
  'acrossSessionsRequests',
  'acrossSessionsInput',
  'acrossSessionsCached',
  'controlRequests',
  'controlInput',
  'controlCached',
  'pingRows',
  'pingUnpriced',
  'pingStorage',
  'prewarmRows',
  'prewarmUnpriced',
  'prewarmStorage',
  'storageRows',
  'storageUnpriced',
  'storageStorage',
] as const

export type CountName = (typeof countNames)[number]
export type MoneyName = (typeof moneyNames)[number]

/** Where each name is among the sums; of an amount the micro-dollars, with the rest behind them. */
const slots = Object.fromEntries([
  ...countNames.map((name, index) => [name, index]),
  ...moneyNames.map((name, index) => [name, countNames.length + 2 * index]),
]) as Readonly<Record<CountName | MoneyName, number>>

export const slotCount: number = countNames.length + 2 * moneyNames.length

/** Micro-dollars of pico-dollars. */
const picoPerMicro = 1_000_000

/** The columns of `events` that a cell is made of. */
export const cellColumns: readonly string[] = [
  'kind',
  'usage_fresh',
  'usage_read',
  'usage_write_5m',
  'usage_write_30m',
  'usage_write_1h',
  'usage_write_12h',
  'usage_output',
  'usage_storage',
  'input_tokens',
  'cached_input_tokens',
  'ttft_ms',
  'total_ms',
  'status',
  'error_code',
  'cost',
  'cost_read',
  'cost_write',
  'cost_output',
  'counterfactual',
  'control',
  'reuse',
  'verdict',
  'request_headroom',
  'token_headroom',
]

/** Sums by name, as a cell has added them up. */
export class Sums {
  readonly #sums: Float64Array

  /** @param sums `slotCount` of them */
  constructor(sums: Float64Array) {
    this.#sums = sums
  }

  count(name: CountName): number {
    return this.#sums[slots[name]] ?? 0
  }

  /** In pico-dollars. */
  money(name: MoneyName): bigint {
    const slot = slots[name]
    return BigInt(this.#sums[slot] ?? 0) * BigInt(picoPerMicro) + BigInt(this.#sums[slot + 1] ?? 0)
  }
}

/** Sums over events, and a histogram of TTFT by cold or warm and size of prompt; the unit of which rollups are made. */
export class Cell {
  readonly sums: Float64Array = new Float64Array(slotCount)
  /** Counts by `histogramKey`. */
  readonly histogram: Map<number, number> = new Map()
  leastRequests: number = Infinity
  leastTokens: number = Infinity

  get requests(): number {
    return this.sums[slots.requests] ?? 0
  }

  /** Nothing is in it any more. */
  get empty(): boolean {
    return this.sums[slots.events] === 0
  }

  /**
   * Adds an event (`sign` 1) or takes it away again (-1). The lowest headroom does not rise again.
   * @param row the `cellColumns` of an event
   */
  add(row: SqlRow, sign: 1 | -1 = 1): void {
    this.#grow('events', sign)
    const kind = row['kind']
    if (kind === 'request') this.#addRequest(row, sign)
    else if (kind === 'attempt') this.#grow('attempts', sign)
    else if (kind === 'ping' || kind === 'prewarm' || kind === 'storage') this.#addOverhead(kind, row, sign)
  }

  /** Adds what `encode` made of another cell. */
  merge(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const known = view.getUint8(1)
    let at = 2 + Math.ceil(known / 8)
    for (let slot = 0; slot < known; slot++) {
      if (((bytes[2 + (slot >> 3)] ?? 0) & (1 << (slot & 7))) === 0) continue
      this.sums[slot] = (this.sums[slot] ?? 0) + view.getFloat64(at, true)
      at += 8
    }
    this.leastRequests = Math.min(this.leastRequests, view.getFloat64(at, true))
    this.leastTokens = Math.min(this.leastTokens, view.getFloat64(at + 8, true))
    for (at += 16; at < bytes.length; at += histogramEntryBytes) {
      this.#growHistogram(view.getUint16(at, true), view.getUint32(at + 2, true))
    }
  }

  /** Adds another cell, or takes it away. */
  combine(other: Cell, sign: 1 | -1 = 1): void {
    for (let slot = 0; slot < slotCount; slot++) {
      this.sums[slot] = (this.sums[slot] ?? 0) + sign * (other.sums[slot] ?? 0)
    }
    for (const [key, count] of other.histogram) this.#growHistogram(key, sign * count)
    if (sign < 0) return
    this.leastRequests = Math.min(this.leastRequests, other.leastRequests)
    this.leastTokens = Math.min(this.leastTokens, other.leastTokens)
  }

  /** Version, number of slots, a bit per slot that is not 0, these slots, the lowest headrooms, the histogram. */
  encode(): Uint8Array {
    const used = this.sums.reduce((used, sum) => (sum === 0 ? used : used + 1), 0)
    const head = 2 + Math.ceil(slotCount / 8)
    const bytes = new Uint8Array(head + 8 * used + 16 + histogramEntryBytes * this.histogram.size)
    const view = new DataView(bytes.buffer)
    bytes[0] = formatVersion
    bytes[1] = slotCount
    let at = head
    for (const [slot, sum] of this.sums.entries()) {
      if (sum === 0) continue
      bytes[2 + (slot >> 3)] = (bytes[2 + (slot >> 3)] ?? 0) | (1 << (slot & 7))
      view.setFloat64(at, sum, true)
      at += 8
    }
    view.setFloat64(at, this.leastRequests, true)
    view.setFloat64(at + 8, this.leastTokens, true)
    at += 16
    for (const [key, count] of this.histogram) {
      view.setUint16(at, key, true)
      view.setUint32(at + 2, count, true)
      at += histogramEntryBytes
    }
    return bytes
  }

  #addRequest(row: SqlRow, sign: number): void {
    this.#grow('requests', sign)
    const input = numberOf(row['input_tokens'])
    const cached = numberOf(row['cached_input_tokens'])
    const output = numberOf(row['usage_output'])
    if (cached !== undefined && cached > 0) this.#grow('warm', sign)
    if (row['verdict'] === 'partial') this.#grow('partial', sign)
    if (row['error_code'] !== null || Number(row['status']) >= 400) this.#grow('failed', sign)
    if (input === undefined && cached === undefined && output === undefined) this.#grow('unreported', sign)
    this.#grow('input', sign * (input ?? 0))
    this.#grow('cached', sign * (cached ?? 0))
    this.#grow('output', sign * (output ?? 0))
    for (const [name, column] of buckets) this.#grow(name, sign * (numberOf(row[column]) ?? 0))
    this.#grow('busyMicroseconds', sign * Math.round(Number(row['total_ms']) * 1_000))
    this.#addGroup(reuseGroups[String(row['reuse'])], { input, cached }, sign)
    if (row['control'] === 1) this.#addGroup(controlGroup, { input, cached }, sign)
    this.#addCost(row, sign)
    this.#addTtft({ ttft: numberOf(row['ttft_ms']), input, cached }, sign)
    if (sign < 0) return
    this.leastRequests = Math.min(this.leastRequests, numberOf(row['request_headroom']) ?? Infinity)
    this.leastTokens = Math.min(this.leastTokens, numberOf(row['token_headroom']) ?? Infinity)
  }

  #addGroup(
    group: readonly [requests: CountName, input: CountName, cached: CountName] | undefined,
    tokens: { input: number | undefined; cached: number | undefined },
    sign: number,
  ): void {
    if (group === undefined) return
    const [requests, input, cached] = group
    this.#grow(requests, sign)
    this.#grow(input, sign * (tokens.input ?? 0))
    this.#grow(cached, sign * (tokens.cached ?? 0))
  }

  #addCost(row: SqlRow, sign: number): void {
    const cost = numberOf(row['cost'])
    const counterfactual = numberOf(row['counterfactual'])
    if (cost === undefined) {
      if (tokenColumns.some((column) => Number(row[column] ?? 0) > 0)) this.#grow('unpriced', sign)
      return
    }
    this.#pay('cost', cost, sign)
    this.#pay('costRead', numberOf(row['cost_read']), sign)
    this.#pay('costWrite', numberOf(row['cost_write']), sign)
    this.#pay('costOutput', numberOf(row['cost_output']), sign)
    if (counterfactual === undefined) return
    this.#pay('counterfactual', counterfactual, sign)
    this.#pay('comparedCost', cost, sign)
    if (row['control'] !== 1) return
    this.#pay('controlCost', cost, sign)
    this.#pay('controlCounterfactual', counterfactual, sign)
  }

  #addTtft({ ttft, input, cached }: Record<'ttft' | 'input' | 'cached', number | undefined>, sign: number): void {
    if (ttft === undefined || cached === undefined) return
    const size = input === undefined ? unknownSize : promptSizeOf(input)
    this.#growHistogram(histogramKey(cached > 0 ? 1 : 0, size, ttftBinOf(ttft)), sign)
  }

  #addOverhead(kind: 'ping' | 'prewarm' | 'storage', row: SqlRow, sign: number): void {
    const cost = numberOf(row['cost'])
    this.#grow(`${kind}Rows`, sign)
    if (cost === undefined) this.#grow(`${kind}Unpriced`, sign)
    else this.#pay(`${kind}Cost`, cost, sign)
    this.#grow(`${kind}Storage`, sign * Math.round((numberOf(row['usage_storage']) ?? 0) * 1e6))
  }

  #grow(name: CountName, by: number): void {
    const slot = slots[name]
    this.sums[slot] = (this.sums[slot] ?? 0) + by
  }

  #pay(name: MoneyName, pico: number | undefined, sign: number): void {
    if (pico === undefined) return
    const slot = slots[name]
    const micro = Math.trunc(pico / picoPerMicro)
    this.sums[slot] = (this.sums[slot] ?? 0) + sign * micro
    this.sums[slot + 1] = (this.sums[slot + 1] ?? 0) + sign * (pico - micro * picoPerMicro)
  }

  #growHistogram(key: number, by: number): void {
    const count = (this.histogram.get(key) ?? 0) + by
    if (count === 0) this.histogram.delete(key)
    else this.histogram.set(key, count)
  }
}

const formatVersion = 1
const histogramEntryBytes = 6

/** Behind the bands: prompts whose size was not reported. */
export const unknownSize: number = promptSizes.length

/** `temperature` 0 = cold, 1 = warm. */
function histogramKey(temperature: number, size: number, bin: number): number {
  return (temperature * (unknownSize + 1) + size) * ttftBins + bin
}

/** @example readHistogramKey(key).bin */
export function readHistogramKey(key: number): { temperature: 0 | 1; size: number; bin: number } {
  const series = Math.floor(key / ttftBins)
  return {
    temperature: series > unknownSize ? 1 : 0,
    size: series % (unknownSize + 1),
    bin: key % ttftBins,
  }
}

const buckets = [
  ['fresh', 'usage_fresh'],
  ['read', 'usage_read'],
  ['write5m', 'usage_write_5m'],
  ['write30m', 'usage_write_30m'],
  ['write1h', 'usage_write_1h'],
  ['write12h', 'usage_write_12h'],
] as const

const tokenColumns = ['input_tokens', 'usage_output', ...buckets.map(([, column]) => column)]

const reuseGroups: Readonly<Record<string, readonly [CountName, CountName, CountName]>> = {
  first: ['firstRequests', 'firstInput', 'firstCached'],
  same_session: ['sameSessionRequests', 'sameSessionInput', 'sameSessionCached'],
  across_sessions: ['acrossSessionsRequests', 'acrossSessionsInput', 'acrossSessionsCached'],
}
const controlGroup = ['controlRequests', 'controlInput', 'controlCached'] as const

function numberOf(value: SqlRow[string] | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value)
}
