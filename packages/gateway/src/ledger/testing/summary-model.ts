import type { LedgerEvent, RequestTotals, Reuse, SummaryQuery, SummaryTotals } from '../port.ts'

/** What a summary must say of these events, added up one by one; TTFT as exact percentiles. */
export interface ModelRow {
  readonly start: number | undefined
  readonly group: Record<string, string | undefined>
  readonly totals: Omit<SummaryTotals, 'ttft'>
  /** By temperature and size: every TTFT, rising. */
  readonly ttft: Readonly<Record<string, readonly number[]>>
}

const fields = {
  org: 'org',
  key: 'keyName',
  session: 'session',
  model: 'model',
  served_model: 'servedModel',
  upstream: 'upstream',
  provider: 'provider',
  dialect: 'dialect',
  verdict: 'verdict',
  cause: 'cause',
  prefix: 'wireHash',
  control: 'control',
  reuse: 'reuse',
  service_tier: 'serviceTier',
} as const satisfies Record<string, keyof LedgerEvent>

export function summaryModel(events: readonly LedgerEvent[], query: SummaryQuery): ModelRow[] {
  const rows = new Map<string, { start: number | undefined; group: ModelRow['group']; events: LedgerEvent[] }>()
  for (const event of events.filter((event) => matches(event, query.filter))) {
    const start = query.interval === 'none' ? undefined : startOf(event.at, query.interval, query.timeZone)
    const group = Object.fromEntries(query.groupBy.map((key) => [key, event[fields[key]]?.toString()]))
    const name = JSON.stringify([start, query.groupBy.map((key) => group[key] ?? null)])
    const row = rows.get(name) ?? { start, group, events: [] }
    row.events.push(event)
    rows.set(name, row)
  }
  if (query.groupBy.length === 0 && query.interval === 'none' && rows.size === 0) {
    rows.set('', { start: undefined, group: {}, events: [] })
  }
  return [...rows.values()].map(({ start, group, events }) => ({
    start,
    group,
    totals: totalsOf(events),
    ttft: ttftOf(events),
  }))
}

export function matches(event: LedgerEvent, filter: SummaryQuery['filter']): boolean {
  const { since, until, ...equal } = filter
  return (
    Object.entries(equal).every(([name, value]) => value === undefined || event[name as keyof LedgerEvent] === value) &&
    event.at >= (since ?? -Infinity) &&
    event.at < (until ?? Infinity)
  )
}

function totalsOf(events: readonly LedgerEvent[]): Omit<SummaryTotals, 'ttft'> {
  const requests = events.filter(({ kind }) => kind === 'request')
  const sum = (of: (event: LedgerEvent) => number | undefined): number =>
    requests.reduce((sum, event) => sum + (of(event) ?? 0), 0)
  const money = (of: (event: LedgerEvent) => bigint | undefined, among = requests): never =>
    among.reduce((sum, event) => sum + (of(event) ?? 0n), 0n) as never
  const count = (test: (event: LedgerEvent) => boolean): number => requests.filter(test).length
  const priced = requests.filter(({ cost }) => cost !== undefined)
  const compared = priced.filter(({ counterfactual }) => counterfactual !== undefined)
  const groupOf = (test: (event: LedgerEvent) => boolean): RequestTotals => ({
    requests: count(test),
    inputTokens: sum((event) => (test(event) ? event.inputTokens : 0)),
    cachedInputTokens: sum((event) => (test(event) ? event.cachedInputTokens : 0)),
  })
  const side = (control: boolean): SummaryTotals['control']['control'] => ({
    ...groupOf((event) => event.control === control),
    cost: money(
      ({ cost }) => cost,
      compared.filter((event) => event.control === control),
    ),
    counterfactual: money(
      ({ counterfactual }) => counterfactual,
      compared.filter((event) => event.control === control),
    ),
  })
  const reuse = (name: Reuse): RequestTotals => groupOf((event) => event.reuse === name)
  const least = (of: (event: LedgerEvent) => number | undefined): number | undefined =>
    requests
      .map(of)
      .filter((value) => value !== undefined)
      .sort((a, b) => a - b)[0]
  const kinds = ['ping', 'prewarm', 'storage'] as const
  return {
    requests: requests.length,
    warmRequests: count((event) => (event.cachedInputTokens ?? 0) > 0),
    partialRequests: count(({ verdict }) => verdict === 'partial'),
    failedRequests: count(({ errorCode, status }) => errorCode !== undefined || status >= 400),
    unreportedRequests: count(
      ({ inputTokens, cachedInputTokens, usage }) => (inputTokens ?? cachedInputTokens ?? usage.output) === undefined,
    ),
    attempts: events.filter(({ kind }) => kind === 'attempt').length,
    inputTokens: sum(({ inputTokens }) => inputTokens),
    cachedInputTokens: sum(({ cachedInputTokens }) => cachedInputTokens),
    outputTokens: sum(({ usage }) => usage.output),
    fresh: sum(({ usage }) => usage.fresh),
    read: sum(({ usage }) => usage.read),
    write5m: sum(({ usage }) => usage.write5m),
    write30m: sum(({ usage }) => usage.write30m),
    write1h: sum(({ usage }) => usage.write1h),
    write12h: sum(({ usage }) => usage.write12h),
    cost: money(({ cost }) => cost),
    costRead: money(({ costRead }) => costRead, priced),
    costWrite: money(({ costWrite }) => costWrite, priced),
    costOutput: money(({ costOutput }) => costOutput, priced),
    counterfactual: money(({ counterfactual }) => counterfactual, compared),
    comparedCost: money(({ cost }) => cost, compared),
    unpricedRequests: count(
      ({ cost, inputTokens, usage }) =>
        cost === undefined && [inputTokens, ...Object.values(usage)].some((tokens) => (tokens ?? 0) > 0),
    ),
    overhead: kinds
      .map((kind) => {
        const rows = events.filter((event) => event.kind === kind)
        return {
          kind,
          rows: rows.length,
          cost: money(({ cost }) => cost, rows),
          unpriced: rows.filter(({ cost }) => cost === undefined).length,
          storageTokenHours: rows.reduce((sum, { storage }) => sum + Math.round((storage ?? 0) * 1e6), 0) / 1e6,
        }
      })
      .filter(({ rows }) => rows > 0),
    busyMs: sum(({ totalMs }) => Math.round(totalMs * 1_000)) / 1_000,
    reuse: { first: reuse('first'), same_session: reuse('same_session'), across_sessions: reuse('across_sessions') },
    control: { control: side(true), treated: side(false) },
    leastHeadroom: {
      requests: least(({ requestHeadroom }) => requestHeadroom),
      tokens: least(({ tokenHeadroom }) => tokenHeadroom),
    },
  }
}

function ttftOf(events: readonly LedgerEvent[]): Record<string, number[]> {
  const lists: Record<string, number[]> = {}
  for (const { kind, ttftMs, cachedInputTokens, inputTokens } of events) {
    if (kind !== 'request' || ttftMs === undefined || cachedInputTokens === undefined) continue
    const temperature = cachedInputTokens > 0 ? 'warm' : 'cold'
    const sizes = inputTokens === undefined ? ['all'] : ['all', sizeOf(inputTokens)]
    for (const size of sizes) (lists[`${temperature} ${size}`] ??= []).push(ttftMs)
  }
  for (const list of Object.values(lists)) list.sort((a, b) => a - b)
  return lists
}

function sizeOf(tokens: number): string {
  if (tokens < 1_000) return '0-1k'
  if (tokens < 4_000) return '1k-4k'
  if (tokens < 16_000) return '4k-16k'
  if (tokens < 64_000) return '16k-64k'
  return tokens < 256_000 ? '64k-256k' : '256k+'
}

const startsKnown = new Map<string, number>()

/** Back from an instant, a quarter of an hour at a time, as long as the calendar of the zone says the same. */
export function startOf(at: number, interval: 'hour' | 'day' | 'week' | 'month', timeZone: string): number {
  const quarter = Math.floor(at / 900_000) * 900_000
  const memo = `${quarter} ${interval} ${timeZone}`
  let start = startsKnown.get(memo)
  if (start === undefined) {
    const name = nameOf(quarter, interval, timeZone)
    start = quarter
    while (nameOf(start - 900_000, interval, timeZone) === name) start -= 900_000
    startsKnown.set(memo, start)
  }
  return start
}

const formats = new Map<string, Intl.DateTimeFormat>()

function nameOf(at: number, interval: 'hour' | 'day' | 'week' | 'month', timeZone: string): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    })
  formats.set(timeZone, format)
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
  const date = `${parts['year']}-${parts['month']}-${parts['day']}`
  if (interval === 'hour') return `${date} ${parts['hour']} ${parts['timeZoneName']}`
  if (interval === 'day') return date
  if (interval === 'month') return date.slice(0, 7)
  const day = Date.parse(`${date}T00:00:00Z`)
  return String(day - ((new Date(day).getUTCDay() + 6) % 7) * 86_400_000)
}
