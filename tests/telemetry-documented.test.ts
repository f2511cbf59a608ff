import { IncipitError, epochMs, milliseconds, picoUsd, tokenCount, unreportedUsage } from '@incipit/core'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { anEvent, reported } from '../packages/gateway/src/ledger/testing/an-event.ts'
import { Metrics } from '../packages/gateway/src/telemetry/metrics.ts'
import { metricNames, formerTokenUsage } from '../packages/gateway/src/telemetry/otel/gen-ai-names.ts'
import { startGateway } from './support/gateway.ts'
import { post } from './support/ledger.ts'
import { readPromql } from './support/promql.ts'
import type { PromqlSelector } from './support/promql.ts'
import { answerShortly, sendJson, startRecordingUpstream } from './support/recording-upstream.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'

const at = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const page = at('docs/telemetry.md')

interface Exposed {
  readonly type: string
  /** Of the series that are there; `undefined` = none is. */
  readonly labels: ReadonlySet<string> | undefined
}

let upstream: RecordingUpstream
let server: ServerProcess
let running: ReadonlyMap<string, Exposed>
/** What each metric looks like once everything has happened that is counted. */
let complete: ReadonlyMap<string, Exposed>

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  server = await startGateway(
    [{ name: 'oa', url: upstream.url, settings: 'kind: openai, api_key: sk-test, models: ["gpt-*"], max_retries: 1' }],
    { engine: true, config: 'telemetry: { vllm_names: true }' },
  )
  await causeTraffic()
  running = readExposition(await (await fetch(`${server.url}/metrics`)).text())
  complete = readExposition(await everythingCounted())
})
afterAll(async () => {
  await server.stop()
  await upstream.close()
})

test('what a running gateway exposes is what is known to be exposed, with the same types and labels', () => {
  const shape = ([name, { type, labels }]: [string, Exposed]) => [name, type, labels]
  // A metric without a value shows no labels.
  const expected = [...complete].map(([name, { type, labels }]): [string, Exposed] => [
    name,
    { type, labels: running.get(name)?.labels === undefined ? undefined : labels },
  ])
  expect([...running].map(shape)).toEqual(expected.map(shape))
})

test('traffic leaves values where it should', () => {
  const silent = [...running].filter(([, { labels }]) => labels === undefined).map(([name]) => name)
  // What needs a price, a limit of ours, or an upstream that tells its limits is not caused by this traffic.
  for (const name of silent) {
    expect(name).toMatch(
      /_usd_total$|_limited_total$|_headroom_ratio$|_verdicts_total$|_write_tokens_total$|_warnings_total$/,
    )
  }
})

test('every metric is documented with its type and labels, and every documented one is exposed', () => {
  const rows = [...page.matchAll(/^\| `((?:incipit_|vllm:)[a-z_0-9]+)` +\| (\w+) +\| ([^|]*)\|/gm)]
  const documented = rows.map(([, name = '', type = '', labels = '']) => [
    name,
    type,
    [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(),
  ])
  const exposed = [...complete].map(([name, { type, labels }]) => [name, type, [...(labels ?? [])].sort()])
  const byName = (a: readonly unknown[], b: readonly unknown[]): number => (String(a[0]) < String(b[0]) ? -1 : 1)
  expect(documented.sort(byName)).toEqual(exposed.sort(byName))
})

test('every name of OpenTelemetry that is sent is documented, with the one it had, and no other', () => {
  const rows = [...page.matchAll(/^\| `((?:gen_ai|incipit)\.[a-z_.]+)` +\| (?:`([a-z_.]+)`)? *\|/gm)]
  const replaced = ['inputTokens', 'outputTokens', 'inputPerCall', 'outputPerCall']
  const sent = Object.entries(metricNames).map(([key, { now, before }]) => [
    now,
    replaced.includes(key) ? formerTokenUsage.now : before,
  ])
  expect(rows.map(([, now, before]) => [now, before])).toEqual(sent)
})

describe('every expression is PromQL over metrics and labels that exist', () => {
  const dashboard = JSON.parse(at('docker/grafana/dashboards/cache-economics.json')) as Dashboard
  const { groups } = parse(at('docker/prometheus/alerts.yaml')) as Alerts
  const onDashboard = dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: `panel "${title}"`, expr, legendFormat })),
  )
  const inAlerts = groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr, annotations }) => ({ where: alert, expr, legendFormat: annotations.summary })),
  )
  const onPage = [...page.matchAll(/```promql\n([^]*?)```/g)].map(([, expr = '']) => ({
    where: 'docs/telemetry.md',
    expr,
    legendFormat: '',
  }))

  test('there are some of each', () => {
    expect([onDashboard.length > 40, inAlerts.length, onPage.length]).toEqual([true, 6, 3])
  })

  test.each([...onDashboard, ...inAlerts, ...onPage])('$where: $expr', ({ expr, legendFormat }) => {
    const { selectors, groupedBy } = readPromql(expr)
    expect(selectors.length).toBeGreaterThan(0)
    const seen = selectors.map(checkSelector)
    for (const label of groupedBy) expect(seen.every((labels) => labels.has(label))).toBe(true)
    // What a legend shows has to survive the aggregation.
    for (const [, label = ''] of legendFormat.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)) {
      expect(groupedBy).toContain(label)
    }
  })

  test('its variables choose by labels that exist, and every panel has a place of its own', () => {
    const queries = dashboard.templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]))
    expect(queries.map((query) => /^label_values\((\w+), (\w+)\)$/.exec(query)?.slice(1))).toEqual([
      ['incipit_requests_total', 'model'],
      ['incipit_requests_total', 'upstream'],
    ])
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })
})

test('the files that compose mounts are where the configurations look for them', () => {
  const { services } = parse(at('compose.yaml')) as Compose
  const volumes = services['grafana']?.volumes ?? []
  const provider = parse(at('docker/grafana/provisioning/dashboards/incipit.yaml')) as Provider
  expect(volumes).toContain(`./docker/grafana/dashboards:${provider.providers[0]?.options.path}:ro`)
  const prometheus = parse(at('docker/prometheus/prometheus.yaml')) as PrometheusFile
  const onPage = parse(/```yaml\n([^]*?)```/.exec(page)?.[1] ?? '') as PrometheusFile
  expect(onPage.scrape_configs).toEqual(prometheus.scrape_configs)
  expect(prometheus.rule_files.map((file) => at(`docker/prometheus/${file}`))).toHaveLength(1)
})

/** @returns the labels of its metric @throws Error where there is none, or it makes no sense */
function checkSelector({ metric, labels, ranged }: PromqlSelector): ReadonlySet<string> {
  const base = running.has(metric) ? metric : metric.replace(/_(?:bucket|sum|count)$/, '')
  const type = running.get(base)?.type
  if (type === undefined) throw new Error(`${metric} is not exposed`)
  const known = new Set([...(complete.get(base)?.labels ?? []), ...(metric.endsWith('_bucket') ? ['le'] : [])])
  const unknown = labels.filter((label) => !known.has(label))
  if (unknown.length > 0) throw new Error(`${metric} has no ${unknown.join(', ')}`)
  if (!isSense(type, metric, ranged))
    throw new Error(`${metric} is a ${type}, and stands in ${ranged ?? 'no function'}`)
  return known
}

/** A rate of a gauge is none, and so is the bare number of a counter, but for those that are only compared with 0. */
function isSense(type: string, metric: string, ranged: string | undefined): boolean {
  if (type === 'gauge') return ranged === undefined
  return ranged === 'rate' || ranged === 'increase' || metric.startsWith('incipit_ledger_')
}

async function causeTraffic(): Promise<void> {
  const chat = async (body: object): Promise<void> => {
    const messages = [{ role: 'system', content: 'You answer in one word, and never in two. '.repeat(20) }]
    await (await post(`${server.url}/v1/chat/completions`, { model: 'gpt-x', messages, max_tokens: 4, ...body })).text()
  }
  await chat({})
  await chat({ stream: true })
  await chat({ model: 'demo', stream: true })
  await chat({ model: 'demo', stream: true })
  await chat({ model: 'gpt-x', messages: 'none' })
  upstream.answer = (request, response, count) => {
    if (count % 2 === 1) sendJson(response, { error: { message: 'busy' } }, 503, { 'retry-after': '0' })
    else answerShortly(request, response)
  }
  upstream.requests.splice(0)
  await chat({})
}

function everythingCounted(): Promise<string> {
  const metrics = new Metrics({ vllmNames: true })
  metrics.observe(
    anEvent('1', {
      upstream: 'oa',
      provider: 'openai',
      servedModel: 'm',
      stream: true,
      ...reported({ fresh: 1, read: 2, output: 3 }),
      usage: {
        ...unreportedUsage,
        fresh: tokenCount(1),
        read: tokenCount(2),
        write5m: tokenCount(3),
        output: tokenCount(3),
      },
      evaluatedTokens: tokenCount(1),
      edits: ['inject-usage'],
      warnings: ['too_short: tools'],
      ttftMs: milliseconds(10),
      totalMs: milliseconds(20),
      cost: picoUsd(3n),
      costRead: picoUsd(1n),
      counterfactual: picoUsd(5n),
      verdict: 'partial',
      cause: 'expired',
      requestHeadroom: 0.5,
      tokenHeadroom: 0.5,
    }),
  )
  const local = { upstream: 'engine', servedModel: 'demo', ttftMs: milliseconds(10) }
  metrics.observe(anEvent('2', { ...local, ...reported({ fresh: 1, read: 0, output: 1 }) }))
  metrics.attemptFailed(anEvent('3', { status: 503 }))
  metrics.refused('none', new IncipitError('unknown_route', 'there is nothing'))
  metrics.limited('rpm')
  metrics.reloadFailed(epochMs(0))
  const counts = { stored: 0, lost: 0, late: 0, queued: 0, unimported: 0, unimportedBytes: 0, recovered: 0, garbage: 0 }
  metrics.followLedger(() => ({ ...counts, restarts: 0, pruned: 0, erased: 0, failing: false }))
  const model = {
    hotTokens: 0,
    hotCapacityTokens: 1,
    ramBytes: 0,
    ramCapacityBytes: 1,
    ramBlocks: 0,
    ramTokens: 0,
    promptTokens: 0,
  }
  const more = {
    cachedTokens: 0,
    tierTokens: { hot: 0, ram: 0, disk: 0 },
    evaluatedTokens: 0,
    generatedTokens: 0,
    evictedTokens: 0,
    prefixCacheOff: undefined,
    pins: { count: 0, tokens: 0, dropped: 0 },
  }
  const sizes = { store: undefined, bytes: 0, capacityBytes: 1, blocks: 0, tokens: 0, off: undefined }
  const disk = { ...sizes, restored: 0, discarded: 0, written: 0, read: 0, evicted: 0, failedWrites: 0 }
  const now = { running: 0, queued: 0, hotHeldTokens: 0, queriedTokens: 0 }
  const models = [{ name: 'demo', ...now, ...model, ...more, disk }]
  const stats = { models, running: 0, queued: 0, residentBytes: 1, budgetBytes: 1, restarts: 0 }
  const text = metrics.render({ stats, modelOf: (instance) => instance })
  metrics.close()
  return text
}

/** Names, types and labels of the text format; of a histogram without `le`. */
function readExposition(text: string): Map<string, Exposed> {
  const exposed = new Map<string, Exposed>()
  let name = ''
  for (const line of text.split('\n')) {
    const [, declared, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (declared !== undefined && type !== undefined) exposed.set((name = declared), { type, labels: undefined })
    if (line === '' || line.startsWith('#')) continue
    const { type: known = '', labels } = exposed.get(name) ?? {}
    const found = [...line.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label).filter((label) => label !== 'le')
    exposed.set(name, { type: known, labels: new Set([...(labels ?? []), ...found]) })
  }
  return exposed
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
  }[]
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] }
}

interface Alerts {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string
      readonly expr: string
      readonly annotations: { readonly summary: string }
    }[]
  }[]
}

interface Compose {
  readonly services: Readonly<Record<string, { readonly volumes?: readonly string[] }>>
}

interface Provider {
  readonly providers: readonly { readonly options: { readonly path: string } }[]
}

interface PrometheusFile {
  readonly scrape_configs: readonly unknown[]
  readonly rule_files: readonly string[]
}
