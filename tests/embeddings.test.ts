import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startGateway } from './support/gateway.ts'
import { bodiesOf, ledgerRow, startProviders } from './support/providers.ts'
import type { Providers } from './support/providers.ts'
import { sendJson, takeOne } from './support/recording-upstream.ts'

const local = 'demo'
const remote = 'text-embedding-3-small'

let providers: Providers
let client: OpenAI

beforeAll(async () => {
  providers = await startProviders({ openaiModels: 'text-embedding-*' })
  client = new OpenAI({ baseURL: `${providers.gateway.url}/v1`, apiKey: 'unused', maxRetries: 0 })
})
beforeEach(() => {
  providers.openai.reset()
  providers.recorder.requests.length = 0
})
afterAll(() => providers.stop())

function lengthOf(vector: readonly number[]): number {
  return Math.sqrt(vector.reduce((sum, value) => sum + value ** 2, 0))
}

function likeness(left: readonly number[], right: readonly number[]): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0)
}

test('a local model embeds texts and token ids: unit vectors, equal for equal inputs, in the order asked for', async () => {
  const input = ['to be or not to be', 'something else', 'to be or not to be', `${'long '.repeat(700)}text`]
  const { data, model, usage, object } = await client.embeddings.create({ model: local, input })
  expect({ model, object, indexes: data.map(({ index }) => index) }).toEqual({
    model: local,
    object: 'list',
    indexes: [0, 1, 2, 3],
  })
  for (const { embedding } of data) expect(lengthOf(embedding)).toBeCloseTo(1, 5)
  const [first, other, same] = data.map(({ embedding }) => embedding)
  expect(likeness(first ?? [], same ?? [])).toBeGreaterThan(0.9999)
  expect(likeness(first ?? [], other ?? [])).toBeLessThan(0.999)
  expect(usage.prompt_tokens).toBe(usage.total_tokens)
  expect(usage.prompt_tokens).toBeGreaterThan(700)
  const ids = await client.embeddings.create({ model: local, input: [[300, 301], [302]] })
  expect([ids.data.length, ids.usage.prompt_tokens]).toEqual([2, 3])
})

test('base64, which the client asks for by itself, and floats are the same numbers', async () => {
  const input = 'the same numbers'
  const [asFloats, asDefault] = await Promise.all([
    client.embeddings.create({ model: local, input, encoding_format: 'float' }),
    client.embeddings.create({ model: local, input }),
  ])
  expect(asFloats.data[0]?.embedding.map(Math.fround)).toEqual([...(asDefault.data[0]?.embedding ?? [])])
})

test('fewer dimensions are the first ones, of length 1 again; more than there are is an error that says how many', async () => {
  const whole = (await client.embeddings.create({ model: local, input: 'x y', encoding_format: 'float' })).data[0]
  const all = whole?.embedding ?? []
  const part = (
    await client.embeddings.create({ model: local, input: 'x y', dimensions: 16, encoding_format: 'float' })
  ).data[0]?.embedding
  expect(part).toHaveLength(16)
  expect(lengthOf(part ?? [])).toBeCloseTo(1, 5)
  expect((part?.[0] ?? 0) / (part?.[1] ?? 1)).toBeCloseTo((all[0] ?? 0) / (all[1] ?? 1), 3)
  await expect(client.embeddings.create({ model: local, input: 'x', dimensions: 60_000 })).rejects.toMatchObject({
    status: 400,
    param: '/dimensions',
    message: expect.stringContaining(`1 to ${all.length} allowed`),
  })
})

test.each(['', '/v1', '/v1/v1'])('below "%s"', async (base) => {
  const there = new OpenAI({ baseURL: `${providers.gateway.url}${base}`, apiKey: 'unused', maxRetries: 0 })
  expect((await there.embeddings.create({ model: local, input: 'x' })).data).toHaveLength(1)
})

test('the ledger has input tokens, no output, no prefix and no reuse', async () => {
  const { response } = await client.embeddings.create({ model: local, input: 'count this' }).withResponse()
  const row = await ledgerRow(providers.gateway.url, response.headers.get('x-incipit-request-id'))
  expect(row).toMatchObject({ model: local, status: 200, upstream: 'engine', reuse: null })
  expect(row.usage).toMatchObject({ read: 0, output: 0 })
  expect(row.usage['fresh']).toBeGreaterThan(0)
})

test.each([
  { why: 'empty', body: { input: '' }, param: '/input' },
  { why: 'no input', body: { input: [] }, param: '/input' },
  { why: 'no such token', body: { input: [99_999_999] }, param: '/input' },
  { why: 'too long', body: { input: 'many words '.repeat(20_000) }, param: '/input' },
  { why: 'unknown', body: { input: 'x', encoding_format: 'hex' }, param: '/encoding_format' },
  { why: 'missing', body: {}, param: '/input' },
])('$param is refused in the dialect: $why', async ({ body, param }) => {
  const refused = await client.embeddings
    .create({ model: local, ...body } as OpenAI.EmbeddingCreateParams)
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(APIError)
  expect(refused).toMatchObject({ status: 400, type: 'invalid_request_error', param })
})

test('an upstream answers the client of OpenAI, and its price makes the row', async () => {
  const { data, response } = await client.embeddings
    .create({ model: remote, input: ['one text', 'another text'], dimensions: 256 })
    .withResponse()
  expect(data.data.map(({ embedding }) => embedding.length)).toEqual([256, 256])
  expect(bodiesOf(providers.openai)).toHaveLength(1)
  const row = await ledgerRow(providers.gateway.url, response.headers.get('x-incipit-request-id'))
  expect(row).toMatchObject({ model: remote, upstream: 'openai', status: 200, reuse: null })
  expect(row.usage).toMatchObject({ fresh: data.usage.prompt_tokens, output: 0 })
})

test('an upstream gets the bytes of the client with its own key, and its answer comes back as it is', async () => {
  const answer = `{"object":"list" , "data":[{"object":"embedding","index":0,"embedding":[0.10,-2e-3]}],"usage":{"prompt_tokens":7,"total_tokens":7}}`
  providers.recorder.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-upstream': 'yes' }).end(answer)
  }
  const body = '{ "input": ["a\\u00e9"],"model":"gpt-recorded", "user":"u", "brand_new": [1.0] }'
  const reply = await fetch(`${providers.gateway.url}/embeddings?beta=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  expect(await reply.text()).toBe(answer)
  expect(reply.headers.get('x-upstream')).toBe('yes')
  const sent = takeOne(providers.recorder)
  expect([sent.path, sent.body.toString(), sent.headers.authorization]).toEqual([
    '/v1/embeddings?beta=1',
    body,
    'Bearer sk-upstream',
  ])
  const row = await ledgerRow(providers.gateway.url, reply.headers.get('x-incipit-request-id'))
  expect(row.usage).toMatchObject({ fresh: 7, output: 0 })
})

test('a refusal of an upstream comes back in its words; an upstream without embeddings is named', async () => {
  providers.recorder.answer = (_request, response) =>
    sendJson(response, { error: { message: 'no such thing', type: 'invalid_request_error', code: 'odd' } }, 404)
  await expect(client.embeddings.create({ model: 'gpt-recorded', input: 'x' })).rejects.toMatchObject({
    status: 404,
    code: 'odd',
  })
  await expect(client.embeddings.create({ model: 'claude-opus-5', input: 'x' })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('"anthropic"'),
  })
})

test('a key reaches the models of its scope only, and its limits count embeddings', async () => {
  const gateway = await startGateway([], {
    engine: true,
    config: `keys:
  - { key: key-of-the-admin, org: acme, name: one, role: admin }
  - { key: key-of-another-model, org: acme, name: two, scopes: { models: ["gpt-*"] } }
  - { key: key-with-a-limit, org: acme, name: three, limits: { rpm: 1 } }
`,
  })
  const embed = (apiKey: string) =>
    new OpenAI({ baseURL: gateway.url, apiKey, maxRetries: 0 }).embeddings.create({ model: local, input: 'x' })
  await expect(embed('key-of-another-model')).rejects.toMatchObject({ status: 403 })
  await expect(embed('nobody')).rejects.toMatchObject({ status: 401 })
  expect((await embed('key-with-a-limit')).data).toHaveLength(1)
  await expect(embed('key-with-a-limit')).rejects.toMatchObject({ status: 429 })
  await gateway.stop()
})
