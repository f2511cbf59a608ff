import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'

let folder: string
let server: ServerProcess

const ownPrices = (input: number): string => `
prices:
  - { provider: anthropic, model: claude-opus-5.5, input: ${input}, read: 0.16, write: { 5m: 4 }, output: 16, source: contract }
  - { upstream: fleet, model: "*", input: 0.2, read: 0.02, write: plain, output: 0.6 }
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'incipit-prices-'))
  await writeFile(join(folder, 'prices.yaml'), ownPrices(3.2))
  const config = `engine: { enabled: false }\nupstreams: []\nprices: { file: ${JSON.stringify(join(folder, 'prices.yaml'))} }`
  server = await startServerProcess({ config })
})

afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

interface PriceEntry {
  readonly id: string
  readonly layer: string
  readonly applies: boolean
  readonly usd_per_mtok: Readonly<Record<string, number | null>>
}

async function prices(query: string): Promise<readonly PriceEntry[]> {
  const response = await fetch(`${server.url}/v1/prices?${query}`)
  expect(response.status).toBe(200)
  return ((await response.json()) as { data: readonly PriceEntry[] }).data
}

async function post(body: unknown): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${server.url}/v1/price/plan`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, answer: await response.json() }
}

async function refusal(body: unknown): Promise<unknown> {
  const { status, answer } = await post(body)
  const { error } = answer as { error: { message: string; param: string } }
  return { status, message: error.message, param: error.param }
}

test('P-4 GET /v1/prices says what a model costs on a day, and which list it is from', async () => {
  const on = async (at: string): Promise<unknown> =>
    (await prices(`model=gpt-5.6-sol&provider=openai&at=${at}`)).flatMap(({ applies, id, usd_per_mtok: rates }) =>
      applies ? [[id, rates['input'], rates['read'], rates['write_30m'], rates['write_1h'], rates['output']]] : [],
    )
  expect(await on('2026-11-21')).toEqual([
    ['local/openai/gpt-5-6-sol@to-2026-11-21', 4, 0.4, 5, null, 20],
    ['local/openai/gpt-5-6-sol@to-2026-11-21>272000', 8, 0.8, 10, null, 30],
  ])
  expect(await on('2026-11-22T00:00:00Z')).toEqual([
    ['local/openai/gpt-5-6-sol@2026-11-22', 5, 0.5, 6.25, null, 30],
    ['local/openai/gpt-5-6-sol@2026-11-22>272000', 10, 1, 12.5, null, 45],
  ])
})

test('P-4 a price of the operator goes before ours, which is shown beside it', async () => {
  const found = await prices('model=claude-opus-5.5&at=2026-11-25')
  expect(found.map(({ layer, applies, usd_per_mtok: rates }) => [layer, applies, rates['input']])).toEqual([
    ['operator', true, 3.2],
    ['local', false, 4],
    ['genai-prices', false, 4],
  ])
  expect(await prices('model=anything&upstream=fleet')).toMatchObject([
    { layer: 'operator', provider: null, upstream: 'fleet', applies: true },
  ])
})

test('P-4 a model that only genai-prices has is found without its provider, one that nobody has is not', async () => {
  expect(await prices('model=gpt-4o-mini')).toContainEqual(
    expect.objectContaining({ layer: 'genai-prices', provider: 'openai', applies: true }),
  )
  expect(await prices('model=no-such-model')).toEqual([])
})

test('P-4 every price of Workers AI is shown in neurons as well', async () => {
  const [price] = await prices('provider=workers-ai&model=@cf/meta/llama-3.2-1b-instruct')
  expect(price).toMatchObject({ neurons_per_mtok: { input: 2455, output: 18_273 } })
})

test('what /v1/prices cannot read is refused by name', async () => {
  for (const [query, param] of [
    ['at=yesterday', 'at'],
    ['model=m&limit=1', 'limit'],
    [`model=${'x'.repeat(201)}`, 'model'],
  ]) {
    const response = await fetch(`${server.url}/v1/prices?${query}`)
    expect([response.status, ((await response.json()) as { error: { param: string } }).error.param]).toEqual([
      400,
      param,
    ])
  }
})

test('M-6 POST /v1/price/plan takes the requests of a day, and says what is missing', async () => {
  const asked = { provider: 'anthropic', model: 'claude-sonnet-5.5', cacheable_tokens: 20_000 }
  const { answer } = await post({ ...asked, requests_per_hour: 40 })
  expect(answer).toMatchObject({ inputs: { requests: 960 }, verdict: 'cache', uncached_usd: 38.4 })
  expect(await refusal(asked)).toMatchObject({
    status: 400,
    message: expect.stringContaining('/requests must be given'),
  })
  expect(await refusal({ ...asked, cacheable_tokens: undefined })).toMatchObject({
    message: expect.stringContaining('/cacheable_tokens must be given, of the type number'),
  })
})

test('P-4 M-6 POST /v1/price/plan gives the worked example of seed 001: 3.00 and 0.3345', async () => {
  const { status, answer } = await post({
    provider: 'anthropic',
    model: 'claude-sonnet-4.6',
    cacheable_tokens: 10_000,
    requests: 100,
    ttl: '5m',
  })
  expect(status).toBe(200)
  expect(answer).toMatchObject({
    object: 'price_plan',
    price: {
      id: 'local/anthropic/claude-sonnet-4-6@2026-11-20',
      usd_per_mtok: { input: 3, read: 0.3, write_5m: 3.75 },
    },
    inputs: { min_tokens: 1024, arrivals: { kind: 'within_life' } },
    verdict: 'cache',
    uncached_usd: 3,
    best: { ttl: '5m', keep_alive: false, cost_usd: 0.3345, saved_usd: 2.6655, saved_ratio: 0.8885 },
    options: [{ ttl: '5m', writes: 1, reads: 99, cost_usd: 0.3345, break_even_reads: 1 }],
    layers: null,
  })
})

test('M-6 the layered estimate shows what goes into it, and the overhead that its claim implies', async () => {
  const { answer } = await post({
    prices: { input: 3, read: '0.30', write: { '5m': 3.75 } },
    cacheable_tokens: 10_000,
    requests: 100,
    layers: { org_shared_hit_rate: 0.8, provider_saving: 0.35, overhead: 0.03 },
  })
  expect(answer).toMatchObject({
    layers: {
      org_shared_hit_rate: 0.8,
      provider_saving: 0.35,
      provider_saving_from: 'the request',
      overhead: 0.03,
      provider_share: 0.13,
      effective_share: 0.16,
      claim: { effective_share: { low: 0.13, high: 0.16 }, implied_overhead: { low: 0.014, high: 0.03 } },
    },
  })
})

test('M-6 a question that cannot be answered is refused with the field and what is allowed', async () => {
  const shared = { cacheable_tokens: 10, requests: 2 }
  const model = { provider: 'openai', model: 'gpt-4o' }
  expect(await refusal({ ...model, requests: 2 })).toMatchObject({ status: 400, param: '/cacheable_tokens' })
  expect(await refusal({ ...model, ...shared, requests: 0 })).toEqual({
    status: 400,
    param: '/requests',
    message: expect.stringContaining('/requests must be at least 1'),
  })
  expect(await refusal({ ...shared })).toMatchObject({ status: 400, param: '/model' })
  expect(await refusal({ ...shared, model: 'gpt-4o' })).toMatchObject({ status: 400, param: '/provider' })
  expect(await refusal({ ...shared, provider: 'openai', model: 'gpt-9' })).toMatchObject({
    status: 400,
    param: '/model',
    message: expect.stringContaining('what "gpt-9" costs at openai is not known'),
  })
  expect(await refusal({ ...model, ...shared, gap_seconds: 1, requests_per_hour: 1 })).toMatchObject({
    status: 400,
    param: '/gap_seconds',
  })
  expect(await refusal({ ...model, ...shared, changed_share: 1.5 })).toMatchObject({ param: '/changed_share' })
  expect(await refusal({ ...shared, prices: { input: -1, read: 1 } })).toMatchObject({ param: '/prices/input' })
  expect(await refusal({ ...model, ...shared, tokens: 1 })).toMatchObject({
    message: expect.stringContaining('has no field "tokens"'),
  })
  expect(await refusal({ ...model, ...shared, at: '2026-13-01' })).toMatchObject({ status: 400, param: 'at' })
})

test('a price file that is replaced is in effect without a restart', async () => {
  const input = async (): Promise<unknown> =>
    (await prices('model=claude-opus-5.5&provider=anthropic')).find(({ applies }) => applies)?.usd_per_mtok['input']
  expect(await input()).toBe(3.2)
  await writeFile(join(folder, 'next.yaml'), ownPrices(2.5))
  await rename(join(folder, 'next.yaml'), join(folder, 'prices.yaml'))
  await expect.poll(input, { timeout: 30_000, interval: 100 }).toBe(2.5)
})
