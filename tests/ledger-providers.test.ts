import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { chat, messages, responses } from './support/dialects.ts'
import { startGateway } from './support/gateway.ts'
import type { Row } from './support/ledger.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { sendJson, sendStream, startRecordingUpstream } from './support/recording-upstream.ts'
import { streamedAnswer, wholeAnswer } from './support/shaped-answers.ts'
import type { UsageShape } from './support/usage-shapes.ts'
import { usageShapes } from './support/usage-shapes.ts'

let gateway: ServerProcess
let upstream: RecordingUpstream

const providers = [...new Set(usageShapes.map(({ provider }) => provider))]

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const upstreams = providers.map((provider) => ({
    name: provider,
    url: upstream.url,
    settings: `${settingsOf(provider)}, models: ["${provider}:*"], model_names: ${namesOf(provider)}`,
  }))
  const workersAi = {
    name: 'workers-ai',
    url: upstream.url,
    settings: 'kind: workers-ai, api_key: k, models: ["@cf/*"]',
  }
  gateway = await startGateway([...upstreams, workersAi], { flags: ['--test-clock'] })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

describe.each(usageShapes)('$provider, $model in $spoken.name', (shape) => {
  test('D-41 D-42 D-43 CF-9 its counts and its cost are the same streamed and not, and sum to its total', async () => {
    const expected = {
      provider: shape.provider,
      usage: { ...shape.buckets, storage: null },
      input_tokens: 9_727,
      reported_input_tokens: 9_727,
      cached_input_tokens: shape.buckets['read'],
      service_tier: shape.tier ?? null,
      warnings: [],
    }
    for (const stream of [false, true]) {
      const row = await ask(shape, stream)
      expect(row).toMatchObject(expected)
      expect(row['raw_usage']).toMatchObject(stream ? { ...shape.usage } : shape.usage)
      expect(row['cost_usd']).toBe(shape.costUsd === null ? null : round(shape.costUsd))
      expect(row['price_id'] === null).toBe(shape.costUsd === null)
    }
  })
})

test.each([false, true])('D-41 D-43 CF-9 Workers AI by its own route, streamed: %s', async (stream) => {
  const usage = {
    prompt_tokens: 9_727,
    completion_tokens: 12,
    total_tokens: 9_739,
    prompt_tokens_details: { cached_tokens: 9_216 },
  }
  const frames = [{ response: 'o' }, { response: 'k', usage }].map((frame) => `data: ${JSON.stringify(frame)}\n\n`)
  upstream.answer = (_request, response) =>
    stream
      ? sendStream(response, `${frames.join('')}data: [DONE]\n\n`)
      : sendJson(response, { result: { response: 'ok', usage }, success: true, errors: [], messages: [] })
  const body = { messages: [{ role: 'user', content: 'Hi' }], stream }
  const answer = await post(`${gateway.url}/client/v4/accounts/acc/ai/run/@cf/moonshotai/kimi-k2.6`, body)
  await answer.text()
  expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({
    provider: 'workers-ai',
    usage: { fresh: 511, read: 9_216, output: 12, write_5m: null },
    input_tokens: 9_727,
    reported_input_tokens: 9_727,
    cost_usd: round((511 * 0.95 + 9_216 * 0.16 + 12 * 4) / 1e6),
  })
})

test('D-41 where the parts are more than the total, the event has both numbers and says so', async () => {
  const whole = usageShapes.find(({ model }) => model === 'gpt-6-sol')
  if (whole === undefined) throw new Error('there is a shape of gpt-6-sol')
  const usage = { ...whole.usage, prompt_tokens_details: { cached_tokens: 9_700, cache_write_tokens: 480 } }
  for (const stream of [false, true]) {
    expect(await ask({ ...whole, usage }, stream)).toMatchObject({
      input_tokens: 10_180,
      reported_input_tokens: 9_727,
      warnings: ['usage_mismatch: usage'],
      usage: { fresh: 0, read: 9_700, write_30m: 480 },
      raw_usage: usage,
    })
  }
})

test('OpenRouter with the key of a caller costs what both charge', async () => {
  const shape = usageShapes.find(({ provider }) => provider === 'openrouter')
  if (shape === undefined) throw new Error('there is a shape of OpenRouter')
  const usage = { ...shape.usage, is_byok: true, cost: 0.000_2, cost_details: { upstream_inference_cost: 0.004 } }
  const model = 'maker/unheard-of'
  expect(await ask({ ...shape, model, usage }, false)).toMatchObject({ cost_usd: 0.004_2, price_id: 'reported' })
})

test('a model that no price list knows costs nobody knows what, and never nothing', async () => {
  const shape = usageShapes.find(({ model }) => model === 'claude-opus-5-5')
  if (shape === undefined) throw new Error('there is a shape of Opus')
  const row = await ask({ ...shape, model: 'claude-unheard-of' }, false)
  expect(row).toMatchObject({ cost_usd: null, counterfactual_usd: null, saved_usd: null, price_id: null })
})

async function ask(shape: UsageShape, stream: boolean): Promise<Row> {
  upstream.answer = (_request, response) =>
    stream ? sendStream(response, streamedAnswer(shape)) : sendJson(response, wholeAnswer(shape))
  const more = shape.spoken === chat && stream ? { stream_options: { include_usage: true } } : {}
  const body = shape.spoken.body(`${shape.provider}:${shape.model}`, stream, { ...more, ...shape.asked })
  const answer = await post(gateway.url + shape.spoken.path, body)
  await answer.text()
  return rowOf(gateway.url, idOf(answer))
}

function settingsOf(provider: string): string {
  const own = ['openai', 'anthropic', 'fireworks', 'openrouter', 'vllm', 'sglang', 'llama-server']
  const spoken = new Set(usageShapes.filter((shape) => shape.provider === provider).map((shape) => shape.spoken))
  const kind = own.includes(provider)
    ? `kind: ${provider}`
    : `kind: ${spoken.has(messages) ? 'anthropic' : 'openai'}-compatible, provider: ${provider}`
  const dialects = [...spoken].map(({ name }) => name)
  const speaks = spoken.has(responses) ? `, speaks: [${dialects.join(', ')}]` : ''
  return `${kind}, api_key: k${speaks}`
}

/** Clients name the provider with the model, so that each goes to its own. */
function namesOf(provider: string): string {
  const models = usageShapes.filter((shape) => shape.provider === provider).map(({ model }) => model)
  const all = [...new Set([...models, 'maker/unheard-of', 'claude-unheard-of'])]
  return `{ ${all.map((model) => `"${provider}:${model}": "${model}"`).join(', ')} }`
}

/** Exact to a picodollar. */
function round(usd: number): number {
  return Math.round(usd * 1e12) / 1e12
}
