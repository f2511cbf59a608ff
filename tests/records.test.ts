import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { aConversation, eventOf } from './support/prompts.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess({ flags: ['--test-clock'] })
})
afterAll(() => server.stop())

test('M-2 the documented call lists spend events with just the fields asked for, newest first', async () => {
  const messages = aConversation()
  await chat({ messages })
  await chat({ messages })
  const listed = await get('/v1/events?fields=cached_input_tokens,input_tokens,model')
  const [newest, before] = listed.data as { cached_input_tokens: number; input_tokens: number; model: string }[]
  expect(Object.keys(newest ?? {})).toEqual(['cached_input_tokens', 'input_tokens', 'model'])
  expect(before?.cached_input_tokens).toBe(0)
  expect(newest?.cached_input_tokens).toBe((newest?.input_tokens ?? 0) - 1)
  expect(newest?.model).toBe('demo')
})

test('M-2 pages follow a cursor and miss or repeat nothing', async () => {
  for (let i = 0; i < 5; i++) await chat({ messages: aConversation(3) })
  const whole = (await get('/v1/events?fields=id&limit=1000')).data.map((event) => event['id'])
  const paged: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: EventList = await get(
      `/v1/events?fields=id&limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    )
    paged.push(...page.data.map((event) => event['id']))
    cursor = page.next_cursor
  }
  expect(paged).toEqual(whole)
  expect(new Set(paged).size).toBe(paged.length)
})

test('M-4 a fingerprint of the intended prefix is logged with every request and stands in its answer', async () => {
  const system = aConversation()[0]
  const ask = (content: string) => ({ messages: [system, { role: 'user', content }] })
  const [one, two] = [await chat(ask('First?')), await chat(ask('Second?'))]
  const other = await chat({ messages: aConversation() })
  const hash = one.headers.get('x-incipit-prefix')
  expect(hash).toMatch(/^[0-9a-f]{16}$/)
  expect((await eventOf(server.url, one.headers.get('x-incipit-request-id'))).wire_hash).toBe(hash)
  expect(two.headers.get('x-incipit-prefix')).toBe(hash)
  expect(other.headers.get('x-incipit-prefix')).not.toBe(hash)
})

test('F-6 M-1 the totals add up the events, per token and per request', async () => {
  const summary = await (await fetch(`${server.url}/v1/summary`)).json()
  const events = (await get('/v1/events?limit=1000')).data as { input_tokens: number; cached_input_tokens: number }[]
  const sum = (field: 'input_tokens' | 'cached_input_tokens') =>
    events.reduce((total, event) => total + event[field], 0)
  expect(summary).toMatchObject({
    requests: events.length,
    input_tokens: sum('input_tokens'),
    cached_input_tokens: sum('cached_input_tokens'),
    warm_requests: events.filter((event) => event.cached_input_tokens > 0).length,
    hit_ratio_per_token: sum('cached_input_tokens') / sum('input_tokens'),
  })
})

test('F-6 the console is served with a policy that allows nothing from elsewhere and nothing in line', async () => {
  const page = await fetch(server.url)
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  const html = await page.text()
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '')
  expect(files.length).toBeGreaterThan(2)
  for (const path of files) {
    expect(path).toMatch(/^\.\/console\/[\w-]+\.(?:js|css|svg)$/)
    const file = await fetch(new URL(path, server.url))
    expect(file.status).toBe(200)
    expect(file.headers.get('x-content-type-options')).toBe('nosniff')
  }
  expect(html.replaceAll(/<script[^>]*src=[^>]*><\/script>/g, '')).not.toMatch(/<script|<style|style=|\bon\w+=/i)
})

test.each(['..%2f..%2fpackage.json', '..%2findex.js', 'nothing.js', 'index.html%00.js', '.console-stamp'])(
  'the console has no file %s',
  async (name) => {
    expect((await fetch(`${server.url}/console/${name}`)).status).toBeGreaterThanOrEqual(400)
  },
)

test('M-1 metrics count tokens and time to first token, cold and warm apart', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  for (const line of [
    /^incipit_requests_total\{dialect="openai-chat",model="demo",upstream="engine",.*,prefix="warm",status="200"\} \d/m,
    /^incipit_cached_input_tokens_total\{model="demo",.*\} \d/m,
    /^incipit_time_to_first_token_seconds_count\{model="demo",upstream="engine",prefix="cold"\} \d/m,
    /^incipit_engine_budget_bytes [1-9]/m,
    /^incipit_ledger_lost_events_total 0$/m,
    /^incipit_ledger_unimported_rows \d/m,
    /^incipit_ledger_unimported_bytes \d/m,
  ]) {
    expect(text).toMatch(line)
  }
})

test('the test clock moves the time of events, from this machine only and never back', async () => {
  const before = Date.now()
  const advanced = await fetch(`${server.url}/admin/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advance_ms: 3_600_000 }),
  })
  expect(advanced.status).toBe(200)
  const { headers } = await chat({ messages: aConversation(3) })
  const event = (await (await fetch(`${server.url}/v1/events/${headers.get('x-incipit-request-id')}`)).json()) as {
    at: string
  }
  expect(Date.parse(event.at)).toBeGreaterThanOrEqual(before + 3_600_000)
  const back = await fetch(`${server.url}/admin/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advance_ms: -1 }),
  })
  expect(back.status).toBe(400)
})

test('liveness and readiness answer without a key and without a model', async () => {
  expect((await fetch(`${server.url}/health/liveness`)).status).toBe(200)
  expect((await fetch(`${server.url}/health/readiness`)).status).toBe(200)
})

interface EventList {
  readonly data: readonly Record<string, unknown>[]
  readonly next_cursor: string | null
}

async function get(path: string): Promise<EventList> {
  const answer = await fetch(`${server.url}${path}`)
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.json()) as EventList // the API's documented shape
}

async function chat(body: object): Promise<Response> {
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo', max_tokens: 2, temperature: 0, ...body }),
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  await answer.text()
  return answer
}
