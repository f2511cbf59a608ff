import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'

const config = `
server: { max_body_bytes: 200000, max_header_bytes: 8192 }
strict_models: true
engine: { models: [{ name: demo, path: "builtin:demo", aliases: ["@cf/*"], context_tokens: 2048 }] }
`
const chatPath = '/v1/chat/completions'
const runPath = '/client/v4/accounts/acc/ai/run/@cf/x/y'
const messages = [{ role: 'user', content: 'Hello' }]
let server: ServerProcess

beforeAll(async () => {
  server = await startServerProcess({ config })
})
afterAll(() => server.stop())

/** What is sent, and what the message of the refusal must say. */
const refusals: readonly [string, unknown, number, string, RegExp][] = [
  ['malformed JSON, with its position', '{"model": "demo", "messages": [}', 400, 'invalid_json', /31|column/],
  ['an empty body', '', 400, 'invalid_json', /./],
  ['a body that is no object', '[]', 400, 'invalid_request', /object/],
  ['trailing garbage', '{"messages": []} x', 400, 'invalid_json', /17/],
  ['missing messages', { model: 'demo' }, 400, 'missing_field', /messages/],
  ['empty messages', { model: 'demo', messages: [] }, 400, 'invalid_request', /messages/],
  [
    'messages of the wrong type',
    { model: 'demo', messages: 'hi' },
    400,
    'invalid_request',
    /messages.*string|string.*messages/,
  ],
  ['a message that is no object', { model: 'demo', messages: [7] }, 400, 'invalid_request', /messages\/0/],
  ['an unknown role', { model: 'demo', messages: [{ role: 'wizard', content: 'x' }] }, 400, 'invalid_request', /role/],
  [
    'content of the wrong type',
    { model: 'demo', messages: [{ role: 'user', content: 7 }] },
    400,
    'invalid_request',
    /content/,
  ],
  ['a model of the wrong type', { model: 7, messages }, 400, 'invalid_request', /model/],
  ['stream of the wrong type', { model: 'demo', messages, stream: 'yes' }, 400, 'invalid_request', /stream/],
  ['max_tokens 0', { model: 'demo', messages, max_tokens: 0 }, 400, 'invalid_request', /max_tokens/],
  ['max_tokens as text', { model: 'demo', messages, max_tokens: '5' }, 400, 'invalid_request', /max_tokens/],
  [
    'a huge number',
    `{"model":"demo","messages":[{"role":"user","content":"x"}],"max_tokens":1e400}`,
    400,
    'invalid_request',
    /max_tokens/,
  ],
  ['temperature out of range', { model: 'demo', messages, temperature: 2.5 }, 400, 'invalid_request', /temperature.*2/],
  ['top_p out of range', { model: 'demo', messages, top_p: -0.1 }, 400, 'invalid_request', /top_p/],
  ['n above 1', { model: 'demo', messages, n: 2 }, 400, 'unsupported_feature', /n/],
  [
    'too many alternatives',
    { model: 'demo', messages, logprobs: true, top_logprobs: 21 },
    400,
    'invalid_request',
    /top_logprobs/,
  ],
  ['a model nobody claims, with the known ones', { model: 'gpt-4o', messages }, 404, 'model_not_found', /demo/],
  [
    'a prompt over the context, with both numbers',
    { model: 'demo', messages: [{ role: 'user', content: 'zq '.repeat(9_000) }] },
    400,
    'context_length_exceeded',
    /\d{4,}.*2047/,
  ],
  ['a model name without end', { model: 'm'.repeat(257), messages }, 400, 'invalid_request', /model.*257.*256/],
  ['a model name with a NUL', { model: 'demo\0', messages }, 400, 'invalid_request', /model/],
  [
    'half a character as isolation key',
    '{"model":"demo","messages":[{"role":"user","content":"x"}],"prompt_cache_isolation_key":"\\ud800"}',
    400,
    'invalid_request',
    /prompt_cache_isolation_key/,
  ],
  ['deep nesting', '['.repeat(100_000), 400, 'too_deep', /./],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 400, 'invalid_utf8', /2/],
  ['a body over the limit, with both numbers', 'x'.repeat(200_001), 413, 'body_too_large', /200,?001.*200,?000/],
]

test.each(refusals)('bad input: %s', async (...refusal) => {
  const [, body, status, code, message] = refusal
  const before = await state()
  const answer = await send(chatPath, body)
  expect(answer.status).toBe(status)
  expect(answer.json).toEqual({
    error: {
      message: expect.stringMatching(message),
      type: expect.any(String),
      param: answer.json.error?.param ?? null,
      code,
      request_id: expect.stringMatching(/^req_/),
    },
  })
  expect(answer.text).not.toMatch(/\bat .*\.(ts|js):\d+/)
  expect(await state()).toEqual(before)
})

test.each(refusals.filter(([, , status]) => status !== 404))(
  'bad input to the Workers AI route: %s',
  async (_, body, status) => {
    const answer = await send(runPath, body)
    // Its parameters have ranges of their own, and the model stands in the path.
    if (answer.status === 200) return
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({
      success: false,
      result: null,
      errors: [{ code: expect.any(Number), message: expect.any(String) }],
    })
  },
)

test.each([
  ['neither on nor off', 'x-incipit-prefix-cache', 'maybe', 'invalid_header'],
  ['a session id that is too long', 'x-session-affinity', 'x'.repeat(1025), 'invalid_header'],
  ['an isolation key that is too long', 'x-prompt-cache-isolation-key', 'x'.repeat(1025), 'invalid_header'],
  ['not JSON', 'content-type', 'text/plain', 'unsupported_media_type'],
  ['another charset', 'content-type', 'application/json; charset=latin1', 'unsupported_media_type'],
  ['compressed in a way nobody reads', 'content-encoding', 'compress', 'unsupported_media_type'],
])('a bad header: %s', async (_, name, value, code) => {
  const answer = await send(chatPath, { model: 'demo', messages }, { [name]: value })
  expect(answer.status).toBe(code === 'invalid_header' ? 400 : 415)
  expect(answer.json.error).toMatchObject({ code, message: expect.stringContaining(name) })
})

test('an unknown route is 404, a wrong method 405 with the allowed ones, in the dialect of the path', async () => {
  const unknown = await fetch(`${server.url}/v1/nothing`, { method: 'POST' })
  expect([unknown.status, ((await unknown.json()) as { error: { code: string } }).error.code]).toEqual([
    404,
    'unknown_route',
  ])
  const wrong = await fetch(`${server.url}${chatPath}`)
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  const workers = await fetch(`${server.url}/client/v4/accounts/acc/ai/nothing`, { method: 'POST' })
  expect([workers.status, ((await workers.json()) as { success: boolean }).success]).toEqual([404, false])
})

test('headers over the limit, and bytes that are no HTTP, get an answer and a closed connection', async () => {
  expect(await raw(`GET / HTTP/1.1\r\nhost: localhost\r\nx-long: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 431 .*header_too_large/s,
  )
  expect(await raw('these are not the bytes\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*invalid_request/s)
})

test('a body that is declared too large is refused before it is sent', async () => {
  const answer = await raw(
    `POST ${chatPath} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n`,
  )
  expect(answer).toMatch(/^HTTP\/1.1 413 .*999999999/s)
})

test('F-3 headers that steer are read however many others stand before them', async () => {
  const many = 'a: b\r\n'.repeat(1_000)
  const body = JSON.stringify({ model: 'demo', messages })
  const head = `POST ${chatPath} HTTP/1.1\r\nhost: 127.0.0.1\r\n${many}${many}x-incipit-prefix-cache: maybe\r\n`
  const limited = await startServerProcess({ config: 'server: { max_header_bytes: 65536 }' })
  try {
    const type = 'content-type: application/json\r\nconnection: close\r\n'
    const answer = await raw(`${head}${type}content-length: ${body.length}\r\n\r\n${body}`, limited.url)
    expect(answer).toMatch(/^HTTP\/1.1 400 .*x-incipit-prefix-cache/s)
  } finally {
    await limited.stop()
  }
})

test('a target in absolute form is taken by its path', async () => {
  const answer = await raw(`GET ${server.url}/health/liveness HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1.1 200 /)
})

test('a page of another site, or another name for this machine, reads and resets nothing', async () => {
  for (const headers of ['host: evil.example', 'host: localhost\r\norigin: http://evil.example']) {
    const answer = await raw(
      `POST /v1/cache/reset HTTP/1.1\r\n${headers}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1.1 403 .*forbidden/s)
  }
})

test('a call that leaves its content type to curl is read when it carries a key', async () => {
  const curl = { 'content-type': 'application/x-www-form-urlencoded' }
  expect((await send(chatPath, { model: 'demo', messages, max_tokens: 1 }, curl)).status).toBe(415)
  const keyed = { ...curl, authorization: 'Bearer token' }
  expect((await send(chatPath, { model: 'demo', messages, max_tokens: 1 }, keyed)).status).toBe(200)
})

test('bad queries of the control plane name the parameter', async () => {
  for (const [query, param] of [
    ['limit=0', 'limit'],
    ['limit=abc', 'limit'],
    ['fields=secret', 'fields'],
    ['cursor=%00', 'cursor'],
    ['since=yesterday', 'since'],
    ['since=2026', 'since'],
    ['limit=0x10', 'limit'],
    ['session=%00', 'session'],
    ['fooled=1', 'fooled'],
  ]) {
    const answer = await fetch(`${server.url}/v1/events?${query}`)
    expect([query, answer.status]).toEqual([query, 400])
    expect(((await answer.json()) as { error: { message: string } }).error.message).toContain(param)
  }
  for (const id of ['req_nothing', '%00']) expect((await fetch(`${server.url}/v1/events/${id}`)).status).toBe(404)
})

test('after all of it the gateway still serves', async () => {
  const answer = await send(chatPath, { model: 'demo', messages, max_tokens: 2 })
  expect(answer.status).toBe(200)
})

interface Answer {
  readonly status: number
  readonly text: string
  readonly json: { readonly error?: { readonly param?: string | null; readonly code?: string } }
}

async function send(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: bytes,
  })
  const text = await answer.text()
  return { status: answer.status, text, json: JSON.parse(text) as Answer['json'] }
}

/** Whatever a refused request must leave as it was. */
async function state(): Promise<unknown> {
  // Rates are over the time until now, and that passes; an empty ledger begins now.
  const {
    since: _since,
    until: _until,
    throughput: _rates,
    ...summary
  } = (await (await fetch(`${server.url}/v1/summary`)).json()) as {
    since: string
    until: string
    throughput: unknown
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  return { summary, cache: metrics.match(/^incipit_engine_cache_\S+ .*$/gm) }
}

async function raw(text: string, url = server.url): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(text))
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => void chunks.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()))
    socket.on('error', reject)
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')))
  })
}
