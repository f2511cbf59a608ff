import Anthropic, { RateLimitError as AnthropicRateLimitError } from '@anthropic-ai/sdk'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { RateLimitError } from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { adminKey, adminLine, aKey, ask, chat, chatStatus } from './support/keys.ts'
import { aSharedStore } from './support/shared-store.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { answerShortly, chatStream, startRecordingUpstream } from './support/recording-upstream.ts'

// The upstream reports 4 fresh tokens, 16 read ones and 2 of output each time: a dime.
const prices = `prices:
  - { upstream: priced, model: '*', input: 10000, read: 0, output: 30000 }
`
const config = `keys:
${adminLine}
orgs:
  - { name: shared, limits: { usd_per_month: 0.3 } }
`
const day = 24 * 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'incipit-budgets-'))
let upstream: RecordingUpstream
let gateway: ServerProcess

beforeAll(async () => {
  writeFileSync(join(folder, 'prices.yaml'), prices)
  upstream = await startRecordingUpstream()
  gateway = await start()
})
beforeEach(() => {
  upstream.answer = answerShortly
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

function start({ settings = '', ...more }: { settings?: string; dataDir?: string } = {}): Promise<ServerProcess> {
  const { url } = upstream
  const upstreams = [
    { name: 'priced', url, settings: 'kind: openai-compatible, models: ["gpt-*"], max_retries: 0' },
    { name: 'unpriced', url, settings: 'kind: openai-compatible, models: ["free-*"], max_retries: 0' },
    { name: 'claude', url, settings: 'kind: anthropic, api_key: k, models: ["claude-*"], max_retries: 0' },
  ]
  const whole = `${config}${settings}prices: { file: '${join(folder, 'prices.yaml')}' }\n`
  return startGateway(upstreams, { config: whole, flags: ['--test-clock'], ...more })
}

const advance = (ms: number): Promise<unknown> => ask(gateway, '/admin/clock', { body: { advance_ms: ms } })

async function statuses(key: string, times: number, server = gateway): Promise<number[]> {
  const seen: number[] = []
  for (let index = 0; index < times; index++) seen.push(await chatStatus(server, key))
  return seen
}

const refusals = async (): Promise<number> => {
  const { text } = await ask(gateway, '/metrics')
  return Number(/incipit_refused_total\{dialect="openai-chat",code="budget_exceeded"\} (\d+)/.exec(text)?.[1] ?? 0)
}

test('the test clock takes JSON of any type, as the emulator does, but none of a page of another site', async () => {
  const move = async (headers: Record<string, string>): Promise<number> => {
    const init = { method: 'POST', body: '{"advance_ms":0}', headers: { 'x-api-key': adminKey, ...headers } }
    return (await fetch(`${gateway.url}/admin/clock`, init)).status
  }
  expect(await move({})).toBe(200)
  expect(await move({ 'content-type': 'application/x-www-form-urlencoded' })).toBe(200)
  expect(await move({ origin: 'http://example.com', 'content-type': 'text/plain' })).toBe(415)
})

test('P-4 a budget of a day is used up to the cent, and there again the next day in UTC', async () => {
  const { id, key, name } = await aKey(gateway, { limits: { usd_per_day: 0.3 } })
  expect(await statuses(key, 4)).toEqual([200, 200, 200, 429])
  const refused = await chat(gateway, key)
  expect(refused.json['error']).toMatchObject({
    code: 'insufficient_quota',
    type: 'rate_limit_error',
    param: 'usd_per_day',
  })
  expect(refused.text).toContain(`key \\"${name}\\" has spent 0.3 USD this day (UTC), 0.3 are allowed`)
  const wait = Number(refused.headers.get('retry-after'))
  expect([wait >= 1 && wait <= 86_400, refused.headers.get('x-should-retry')]).toEqual([true, 'false'])
  expect((await ask(gateway, `/v1/keys/${id}`)).json['spent']).toEqual({
    usd_this_day: 0.3,
    usd_this_month: 0.3,
    usd_total: 0.3,
  })
  expect((await ask(gateway, '/key/info', { key })).json['info']).toMatchObject({ spend: 0.3, max_budget: 0.3 })
  await advance(day)
  expect(await statuses(key, 4)).toEqual([200, 200, 200, 429])
  expect((await ask(gateway, `/v1/keys/${id}`)).json['spent']).toMatchObject({ usd_this_day: 0.3, usd_total: 0.6 })
  expect((await ask(gateway, `/v1/events?key=${name}`)).json['data']).toHaveLength(6)
})

test('a budget is lowered and raised at once, and a new key of an old name has spent nothing', async () => {
  const { id, key } = await aKey(gateway, { name: 'reborn', limits: { usd_total: 0.1 } })
  expect(await statuses(key, 2)).toEqual([200, 429])
  await ask(gateway, `/v1/keys/${id}`, { method: 'PATCH', body: { limits: { usd_total: 0.2 } } })
  expect(await statuses(key, 2)).toEqual([200, 429])
  await ask(gateway, `/v1/keys/${id}`, { method: 'DELETE' })
  await advance(1)
  const again = await aKey(gateway, { name: 'reborn', limits: { usd_total: 0.1 } })
  expect(await statuses(again.key, 2)).toEqual([200, 429])
})

test('all keys of an organisation share its budget, streams count, and no client repeats in vain', async () => {
  const [one, two] = [await aKey(gateway, { org: 'shared' }), await aKey(gateway, { org: 'shared' })]
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: one.key, maxRetries: 2 })
  const messages = [{ role: 'user' as const, content: 'hello' }]
  for (let round = 0; round < 2; round++) {
    const stream = await openai.chat.completions.create({ model: 'gpt-5.4', messages, stream: true })
    for await (const chunk of stream) expect(chunk.object).toBe('chat.completion.chunk')
  }
  expect(await chatStatus(gateway, two.key)).toBe(200)
  const before = await refusals()
  const refused: unknown = await openai.chat.completions
    .create({ model: 'gpt-5.4', messages })
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(RateLimitError)
  expect(await refusals()).toBe(before + 1)
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: two.key, maxRetries: 2 })
  const said: unknown = await anthropic.messages
    .create({ model: 'claude-x', max_tokens: 5, messages })
    .catch((error: unknown) => error)
  expect(said).toBeInstanceOf(AnthropicRateLimitError)
  expect(String(said)).toContain('organisation')
  const workers = await ask(gateway, '/client/v4/accounts/a/ai/run/gpt-x', { key: two.key, body: { prompt: 'hi' } })
  expect([workers.status, workers.json]).toMatchObject([429, { errors: [{ code: 3036 }] }])
})

test('a soft budget refuses nothing: beyond it header, event and metric say so', async () => {
  const { key, name } = await aKey(gateway, { limits: { soft_usd_per_day: 0.1 } })
  const first = await chat(gateway, key)
  expect(first.headers.get('x-incipit-warnings')).toBeNull()
  const second = await chat(gateway, key)
  expect(second.status).toBe(200)
  expect(second.headers.get('x-incipit-warnings')).toMatch(/^soft_budget: soft_usd_per_day \(key .* has spent 0\.1 USD/)
  const { json } = await ask(gateway, `/v1/events?key=${name}&fields=warnings`)
  expect(json['data']).toEqual([{ warnings: ['soft_budget: soft_usd_per_day'] }, { warnings: [] }])
  expect((await ask(gateway, '/metrics')).text).toMatch(/incipit_warnings_total\{code="soft_budget"\} [1-9]/)
})

test('what is under way when a budget runs out is finished', async () => {
  const { key } = await aKey(gateway, { limits: { usd_total: 0.1 } })
  const [head = '', ...rest] = chatStream.split('\n\n').map((event) => `${event}\n\n`)
  let goOn = (): void => undefined
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(head)
    goOn = () => void response.end(rest.join(''))
  }
  const body = { model: 'gpt-5.4', stream: true, messages: [{ role: 'user', content: 'hello' }] }
  const underWay = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  upstream.answer = answerShortly
  expect(await statuses(key, 2)).toEqual([200, 429])
  goOn()
  expect(await underWay.text()).toContain('[DONE]')
})

test('a cost that is not known counts as nothing', async () => {
  const { key } = await aKey(gateway, { limits: { usd_total: 0.1 } })
  for (let round = 0; round < 3; round++) expect(await chatStatus(gateway, key, 'free-1')).toBe(200)
  expect(await statuses(key, 2)).toEqual([200, 429])
  expect(await chatStatus(gateway, key, 'free-1')).toBe(429)
})

test.each(['SQLite', 'PostgreSQL'])(
  'neither a kill nor a second gateway on the same ledger resets what was spent (%s)',
  { timeout: 180_000 },
  async (kind) => {
    const store = await aSharedStore(kind)
    try {
      const place = store.forGateway()
      const first = await start(place)
      const { key } = await aKey(first, { limits: { usd_per_day: 0.5 } })
      expect(await statuses(key, 2, first)).toEqual([200, 200])
      await first.kill()
      const gateways = [await start(place), await start(store.forGateway())] as const
      const [one, other] = gateways
      // Both have read what was spent before either goes on.
      expect([await chatStatus(one, key), await chatStatus(other, key)]).toEqual([200, 200])
      expect(await chatStatus(one, key)).toBe(200)
      await expect.poll(() => chatStatus(other, key)).toBe(429)
      await expect.poll(() => chatStatus(one, key)).toBe(429)
      await Promise.all(gateways.map((gateway) => gateway.stop()))
    } finally {
      await store.close()
    }
  },
)
