import { startEmulator } from 'incipit/emulate'
import type { Emulator } from 'incipit/emulate'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { parseCsv } from './support/parse-csv.ts'
import { posted } from './support/post.ts'

/** Traffic over three hours of a clock that tests move: emulated providers, a gateway of its own, its store on disk. */
let gateway: ServerProcess
let anthropic: Emulator
let openai: Emulator
/** What the events say, oldest first. */
let events: readonly Row[]

const targets: Readonly<Record<string, readonly [number, number]>> = {
  first: [0, 0],
  same_session: [0.6, 0.9],
  across_sessions: [0.4, 0.7],
}
const opening = 'Rules of the house. '.repeat(800)

beforeAll(async () => {
  anthropic = await startEmulator({ kind: 'anthropic' })
  openai = await startEmulator({ kind: 'openai' })
  const settings = (kind: string, models: string): string => `kind: ${kind}, api_key: sk-test, models: ["${models}"]`
  gateway = await startGateway(
    [
      { name: 'claude', url: anthropic.url, settings: settings('anthropic', 'claude-*') },
      { name: 'gpt', url: openai.url, settings: settings('openai', 'gpt-*') },
    ],
    { flags: ['--test-clock'] },
  )
  const history: { role: string; content: string }[] = []
  for (const turn of ['One?', 'Two?', 'Three?']) history.push(await claude('a', turn, history))
  await claude('b', 'Four?')
  await advance(3_600_000)
  // Five minutes of life are over.
  history.push(await claude('a', 'Five?', history))
  await advance(3_600_000)
  anthropic.fault({ status: 503, headers: { 'retry-after-ms': '1' }, times: 1 })
  await claude('b', 'Six?')
  for (const text of ['Seven?', 'Eight?']) await gpt(text)
  const { data } = (await get('/v1/events?limit=1000')) as { data: Row[] }
  events = data.toReversed()
})
afterAll(async () => {
  await gateway.stop()
  await Promise.all([anthropic.close(), openai.close()])
})

test('M-1 M-2 a summary of real traffic is the sum of its events', async () => {
  const requests = events.filter(({ kind }) => kind === 'request')
  expect([events.length, requests.length]).toEqual([9, 8])
  const summary = await get('/v1/summary')
  const sum = (name: string): number => requests.reduce((total, row) => total + Number(row[name] ?? 0), 0)
  const warm = requests.filter(({ cached_input_tokens: cached }) => Number(cached) > 0)
  expect(summary).toMatchObject({
    requests: 8,
    attempts: 1,
    warm_requests: warm.length,
    failed_requests: 0,
    unreported_requests: 0,
    unpriced_requests: 0,
    input_tokens: sum('input_tokens'),
    cached_input_tokens: sum('cached_input_tokens'),
    hit_ratio_per_token: sum('cached_input_tokens') / sum('input_tokens'),
    hit_ratio_per_request: warm.length / 8,
  })
  for (const name of ['cost_usd', 'counterfactual_usd', 'saved_usd']) expect(summary[name]).toBeCloseTo(sum(name), 11)
  const parts = summary['cost_parts'] as Record<string, number>
  expect(Object.values(parts).reduce((total, part) => total + part, 0)).toBeCloseTo(sum('cost_usd'), 11)
  expect(summary['ttft']).toMatchObject({ cold: { count: 8 - warm.length }, warm: { count: warm.length } })
})

test('M-3 targets stand beside what this traffic reached', async () => {
  const { reuse } = (await get('/v1/summary?upstream=claude')) as {
    reuse: Record<string, { requests: number; ratio: number; within: boolean }>
  }
  for (const [name, { requests, ratio, within }] of Object.entries(reuse)) {
    const those = events.filter((row) => row['reuse'] === name && row['upstream'] === 'claude')
    const sum = (field: string): number => those.reduce((total, row) => total + Number(row[field]), 0)
    expect([name, requests]).toEqual([name, those.length])
    expect(ratio).toBe(sum('cached_input_tokens') / sum('input_tokens'))
    const [low, high] = targets[name] ?? [2, 2]
    expect(within).toBe(ratio >= low && ratio <= high)
  }
  expect(reuse['first']).toMatchObject({ requests: 1, ratio: 0, within: true })
})

test('M-1 by hour and upstream, and relative times, follow the clock of the gateway', async () => {
  const { rows } = (await get('/v1/summary?interval=hour&group_by=upstream')) as {
    rows: { start: string; group: { upstream: string }; requests: number }[]
  }
  const shown = rows.map(({ start, group, requests }) => [start, group.upstream, requests].join(' '))
  const expected = new Map<string, number>()
  for (const { at, upstream, kind } of events) {
    const key = `${String(at).slice(0, 13)}:00:00.000Z ${String(upstream)}`
    expected.set(key, (expected.get(key) ?? 0) + (kind === 'request' ? 1 : 0))
  }
  expect(shown.sort()).toEqual([...expected].map(([key, count]) => `${key} ${count}`).sort())
  const recent = (await get('/v1/events?since=-30m&kind=request&fields=upstream')) as { data: Row[] }
  expect(recent.data.map(({ upstream }) => upstream)).toEqual(['gpt', 'gpt', 'claude'])
  expect(await get('/v1/summary?since=-30m')).toMatchObject({ requests: 3, attempts: 1 })
  expect(await get('/v1/summary?until=-30m')).toMatchObject({ requests: 5, attempts: 0 })
})

test('M-1 the prefix that all of it shares was reused, the one of the others as well', async () => {
  const { data } = (await get('/v1/prefixes')) as { data: Row[] }
  const expected = new Map<string, number>()
  for (const { wire_hash: prefix, kind } of events) {
    if (kind === 'request') expected.set(String(prefix), (expected.get(String(prefix)) ?? 0) + 1)
  }
  expect(new Map(data.map(({ prefix, requests }) => [String(prefix), Number(requests)]))).toEqual(expected)
  expect(data[0]).toMatchObject({ reused: true, requests: 6, sessions: 2 })
})

test('M-2 an export of real traffic says what its events say', async () => {
  const answer = await fetch(`${gateway.url}/v1/events`, { headers: { accept: 'text/csv' } })
  const table = parseCsv(await answer.text()).toReversed()
  expect(table.map(({ id, model, verdict }) => [id, model, verdict])).toEqual(
    events.map(({ id, model, verdict }) => [id, model, verdict]),
  )
  for (const [index, row] of table.entries()) {
    const { cost_usd: cost, usage, edits } = events[index] ?? {}
    expect(Number(row['cost_usd'] ?? Number.NaN)).toBe(cost ?? Number.NaN)
    expect(row['write_5m_tokens']).toBe(textOf((usage as Record<string, number | null>)['write_5m']))
    expect(JSON.parse(row['edits'] ?? '')).toEqual(edits)
  }
})

type Row = Readonly<Record<string, unknown>>

function textOf(value: number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

async function get(path: string): Promise<Row> {
  const answer = await fetch(gateway.url + path)
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Row // the API's documented shape
}

/** A turn of a session under marked instructions. @returns the turn, for those that follow */
async function claude(
  session: string,
  text: string,
  history: readonly { role: string; content: string }[] = [],
): Promise<{ role: string; content: string }> {
  const turn = { role: 'user', content: text }
  const earlier = history.flatMap((one) => [one, { role: 'assistant', content: 'Yes.' }])
  await posted(`${gateway.url}/v1/messages`, {
    model: 'claude-opus-5-5',
    max_tokens: 16,
    system: [{ type: 'text', text: opening, cache_control: { type: 'ephemeral' } }],
    messages: [...earlier, turn],
    metadata: { user_id: JSON.stringify({ session_id: session }) },
  })
  return turn
}

async function gpt(text: string): Promise<void> {
  await posted(`${gateway.url}/v1/chat/completions`, {
    model: 'gpt-5.6-sol',
    messages: [
      { role: 'system', content: opening },
      { role: 'user', content: text },
    ],
    max_completion_tokens: 8,
  })
}

/** Time goes on, for the gateway and for the providers alike. */
async function advance(ms: number): Promise<void> {
  await posted(`${gateway.url}/admin/clock`, { advance_ms: ms })
  anthropic.advance(ms)
  openai.advance(ms)
}
