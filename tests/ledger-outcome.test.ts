import { startEmulator } from 'incipit/emulate'
import type { Emulator, EmulatorOptions } from 'incipit/emulate'
import { afterEach, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { Row } from './support/ledger.ts'
import { attemptsOf, idOf, post, rowOf } from './support/ledger.ts'
import { chatAnswer, messagesAnswer, sendJson, startRecordingUpstream } from './support/recording-upstream.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'

const open: { stop?: () => Promise<void>; close?: () => Promise<void> }[] = []

afterEach(async () => {
  for (const { stop, close } of open.splice(0).toReversed()) await (stop ?? close)?.()
})

const long = 'Rules of the house. '.repeat(800)
const mark = { cache_control: { type: 'ephemeral' } }

/** A question under instructions that are marked, as session and organisation ask it. */
function question(session: string, text: string, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    model: 'claude-opus-5-5',
    max_tokens: 16,
    system: [{ type: 'text', text: long, ...mark }],
    messages: [{ role: 'user', content: text }],
    metadata: { user_id: JSON.stringify({ session_id: session }) },
    ...more,
  }
}

describe('M-3', () => {
  test('M-3 the first request is cold, its session and others with its opening are warm', async () => {
    const gateway = await anthropicGateway()
    const rows = []
    for (const [session, text] of [
      ['a', 'One?'],
      ['a', 'Two?'],
      ['b', 'Three?'],
    ] as const) {
      rows.push(await ask(gateway, question(session, text)))
    }
    expect(rows.map(({ reuse, verdict, cause }) => [reuse, verdict, cause])).toEqual([
      ['first', 'cold', 'cold_first_use'],
      ['same_session', 'warm', 'warm'],
      ['across_sessions', 'warm', 'warm'],
    ])
    for (const row of rows)
      expect(row).toMatchObject({ provider: 'anthropic', service_tier: 'standard', control: false })
    const [cold, warm] = rows
    // Written tokens cost more than plain ones, read ones less: the first request pays for the others.
    expect(cold?.['saved_usd']).toBeLessThan(0)
    expect(warm?.['saved_usd']).toBeGreaterThan(0)
    for (const row of rows) {
      expect(row['saved_usd']).toBeCloseTo(Number(row['counterfactual_usd']) - Number(row['cost_usd']), 12)
    }
  })

  test('M-3 another organisation, another opening and another upstream are first again', async () => {
    const keys = `keys: [{ key: key-of-a, org: a, name: a }, { key: key-of-b, org: b, name: b }]`
    const gateway = await anthropicGateway(keys)
    const [a, b] = ['key-of-a', 'key-of-b'].map((key) => ({ authorization: `Bearer ${key}` }))
    await ask(gateway, question('s', 'One?'), a)
    expect(await ask(gateway, question('s', 'Two?'), a)).toMatchObject({ reuse: 'same_session' })
    expect(await ask(gateway, question('s', 'One?'), b)).toMatchObject({ reuse: 'first' })
    expect(await ask(gateway, question('t', 'One?', { system: 'Short.' }), a)).toMatchObject({ reuse: 'first' })
    expect(await ask(gateway, question('s', 'Two?', { model: 'claude-sonnet-4-6' }), a)).toMatchObject({
      reuse: 'first',
    })
  })
})

describe('causes that are certain', () => {
  test('a prompt below the minimum of its model is cold because of that, and only where it is below', async () => {
    const upstream = await aRecording()
    const gateway = await aGateway([{ name: 'claude', url: upstream.url, settings: 'kind: anthropic, api_key: k' }])
    const cold = async (input: number): Promise<Row> => {
      const usage = {
        input_tokens: input,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        output_tokens: 1,
      }
      upstream.answer = (_request, response) => sendJson(response, { ...messagesAnswer, usage })
      return ask(gateway, question('s', 'One?'))
    }
    expect(await cold(511)).toMatchObject({ verdict: 'cold', cause: 'below_minimum', reuse: 'first' })
    expect(await cold(512)).toMatchObject({ verdict: 'cold', cause: null, reuse: 'same_session' })
  })

  test('counts that nobody reported give no verdict, and failures neither verdict nor cause', async () => {
    const upstream = await aRecording()
    const gateway = await aGateway([
      { name: 'compatible', url: upstream.url, settings: 'kind: openai-compatible, max_retries: 0' },
    ])
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    const usage = { prompt_tokens: 9, completion_tokens: 1, total_tokens: 10 }
    upstream.answer = (_request, response) => sendJson(response, { ...chatAnswer, usage })
    expect(await askChat(gateway, body)).toMatchObject({ verdict: null, cause: 'not_reported', provider: null })
    upstream.answer = (_request, response) => sendJson(response, { error: { message: 'no' } }, 400)
    expect(await askChat(gateway, body)).toMatchObject({ status: 400, verdict: null, cause: null, cost_usd: null })
  })

  test('a client that switches the prefix cache off is cold because of that', async () => {
    const gateway = await aGateway([], { engine: true })
    const body = { model: 'demo', max_tokens: 2, messages: [{ role: 'user', content: long }] }
    await askChat(gateway, body)
    const off = await askChat(gateway, body, { 'x-incipit-prefix-cache': 'off' })
    expect(off).toMatchObject({ verdict: 'cold', cause: 'not_enabled', prefix_cache: 'off', control: false })
    const on = await askChat(gateway, body)
    expect(on).toMatchObject({ verdict: 'warm', cause: 'warm', provider: 'engine', cost_usd: null, price_id: null })
    expect(on['reported_input_tokens']).toBe(on['input_tokens'])
  })
})

describe('M-1 headroom of rate limits', () => {
  test('is the smallest part that is left of any limit, and unknown where none is told', async () => {
    const upstream = await aRecording()
    const gateway = await aGateway([{ name: 'claude', url: upstream.url, settings: 'kind: anthropic, api_key: k' }])
    const headroom = async (headers: Record<string, string>): Promise<unknown> => {
      upstream.answer = (_request, response) => sendJson(response, messagesAnswer, 200, headers)
      const row = await ask(gateway, question('s', 'One?'))
      return [row['request_headroom'], row['token_headroom']]
    }
    expect(await headroom({})).toEqual([null, null])
    const requests = { 'anthropic-ratelimit-requests-limit': '50', 'anthropic-ratelimit-requests-remaining': '49' }
    const tokens = { 'anthropic-ratelimit-tokens-limit': '1000', 'anthropic-ratelimit-tokens-remaining': '900' }
    const input = {
      'anthropic-ratelimit-input-tokens-limit': '500',
      'anthropic-ratelimit-input-tokens-remaining': '100',
    }
    expect(await headroom({ ...requests, ...tokens, ...input })).toEqual([0.98, 0.2])
    const openai = { 'x-ratelimit-limit-tokens': '100', 'x-ratelimit-remaining-tokens': '25' }
    expect(await headroom({ ...openai, 'x-ratelimit-remaining-requests': '3' })).toEqual([null, 0.25])
    expect(await headroom({ 'x-ratelimit-limit-tokens': '0', 'x-ratelimit-remaining-tokens': '0' })).toEqual([
      null,
      null,
    ])
    expect(await headroom({ 'x-ratelimit-limit-tokens': '9', 'x-ratelimit-remaining-tokens': 'x' })).toEqual([
      null,
      null,
    ])
  })

  test('a refused attempt has that of its refusal, and nothing else of its request', async () => {
    const upstream = await aRecording()
    const gateway = await aGateway([{ name: 'claude', url: upstream.url, settings: 'kind: anthropic, api_key: k' }])
    const left = (remaining: number): Record<string, string> => ({
      'anthropic-ratelimit-tokens-limit': '100',
      'anthropic-ratelimit-tokens-remaining': String(remaining),
      'retry-after-ms': '1',
    })
    upstream.answer = (_request, response, count) =>
      count === 1
        ? sendJson(response, { type: 'error', error: { type: 'rate_limit_error', message: 'no' } }, 429, left(0))
        : sendJson(response, messagesAnswer, 200, left(40))
    const row = await ask(gateway, question('s', 'One?'))
    expect(row).toMatchObject({ token_headroom: 0.4, verdict: 'warm' })
    const attempts = await attemptsOf(gateway.url, row.id)
    expect(attempts).toMatchObject([
      {
        kind: 'attempt',
        token_headroom: 0,
        verdict: null,
        cause: null,
        reuse: null,
        cost_usd: null,
        provider: 'anthropic',
      },
    ])
  })
})

describe('pre-warming', () => {
  test('P-2 a prompt that is stored for later requests is a row of its own kind: it costs, and saves nothing', async () => {
    const gateway = await anthropicGateway()
    const warming = await ask(gateway, question('s', 'One?', { max_tokens: 0 }))
    expect(warming).toMatchObject({ kind: 'prewarm', parent_id: null, status: 200, counterfactual_usd: 0 })
    expect(warming['cost_usd']).toBeGreaterThan(0)
    expect(warming['saved_usd']).toBe(-Number(warming['cost_usd']))
    expect(warming.usage['write_5m']).toBeGreaterThan(500)
    expect(await ask(gateway, question('s', 'Two?'))).toMatchObject({ kind: 'request', verdict: 'warm' })
  })

  test('P-2 so is one of Responses, also through Messages; one that is refused or answered with text is a request', async () => {
    const emulator = await anEmulator({ kind: 'openai' })
    const gateway = await aGateway([
      { name: 'oa', url: emulator.url, settings: 'kind: openai, speaks: [openai-responses], api_key: k' },
    ])
    const body = { model: 'gpt-6-sol', instructions: long, input: 'One?', prompt_cache_options: { prewarm: true } }
    expect(await askPath(gateway, '/v1/responses', body)).toMatchObject({ kind: 'prewarm', counterfactual_usd: 0 })
    const refused = { ...body, prompt_cache_options: { prewarm: true, ttl: 'never' } }
    expect(await askPath(gateway, '/v1/responses', refused)).toMatchObject({ kind: 'request', status: 400 })
    const through = question('s', 'One?', { model: 'gpt-6-sol', max_tokens: 0 })
    expect(await ask(gateway, through)).toMatchObject({ kind: 'prewarm', status: 200 })
  })

  test('an upstream that knows nothing of it, and answers, has served a request', async () => {
    const upstream = await aRecording()
    const gateway = await aGateway([{ name: 'c', url: upstream.url, settings: 'kind: anthropic-compatible' }])
    expect(await ask(gateway, question('s', 'One?', { max_tokens: 0 }))).toMatchObject({ kind: 'request' })
  })
})

async function anthropicGateway(config = ''): Promise<ServerProcess> {
  const emulator = await anEmulator({ kind: 'anthropic' })
  return aGateway([{ name: 'claude', url: emulator.url, settings: 'kind: anthropic, api_key: k' }], { config })
}

async function ask(gateway: ServerProcess, body: object, headers: Record<string, string> = {}): Promise<Row> {
  return askPath(gateway, '/v1/messages', body, headers)
}

async function askChat(gateway: ServerProcess, body: object, headers: Record<string, string> = {}): Promise<Row> {
  return askPath(gateway, '/v1/chat/completions', body, headers)
}

async function askPath(
  gateway: ServerProcess,
  path: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Row> {
  const answer = await post(gateway.url + path, body, { headers })
  await answer.text()
  return rowOf(gateway.url, idOf(answer), headers)
}

async function aGateway(...start: Parameters<typeof startGateway>): Promise<ServerProcess> {
  const gateway = await startGateway(...start)
  open.push(gateway)
  return gateway
}

async function anEmulator(start: {
  readonly kind: 'anthropic' | 'openai'
  readonly options?: EmulatorOptions
}): Promise<Emulator> {
  const emulator = await startEmulator(start)
  open.push(emulator)
  return emulator
}

async function aRecording(): Promise<RecordingUpstream> {
  const upstream = await startRecordingUpstream()
  open.push(upstream)
  return upstream
}
