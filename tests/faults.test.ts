import Anthropic, { NotFoundError } from '@anthropic-ai/sdk'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI, { RateLimitError } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { openBlackHole } from './support/black-hole.ts'
import type { BlackHole } from './support/black-hole.ts'
import { startConnectProxy } from './support/connect-proxy.ts'
import type { ConnectProxy } from './support/connect-proxy.ts'
import { chat, messages, responses, spoken } from './support/dialects.ts'
import { startGateway } from './support/gateway.ts'
import { attemptsOf, idOf, post, rowOf } from './support/ledger.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import {
  answerShortly,
  chatAnswer,
  sendJson,
  startRecordingUpstream,
  startReturningUpstream,
} from './support/recording-upstream.ts'
import { selfSigned } from './support/self-signed.ts'

let gateway: ServerProcess
/** The first in order, its sibling, and another upstream. */
let one: RecordingUpstream
let two: RecordingUpstream
let three: RecordingUpstream
let blackHole: BlackHole
let proxy: ConnectProxy
let garbage: Server
let secure: Server
const folder = mkdtempSync(join(tmpdir(), 'incipit-faults-'))

beforeAll(async () => {
  ;[one, two, three] = await Promise.all([startRecordingUpstream(), startRecordingUpstream(), startRecordingUpstream()])
  ;[blackHole, proxy] = await Promise.all([openBlackHole(), startConnectProxy()])
  garbage = createServer((socket) => {
    socket.on('error', () => socket.destroy()).on('data', () => void socket.end('what?\r\n\r\n'))
  })
  const certificate = selfSigned()
  writeFileSync(join(folder, 'ca.pem'), certificate.cert)
  secure = createTlsServer(certificate, (_request, response) => sendJson(response, chatAnswer))
  await Promise.all([garbage, secure].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))))
  gateway = await startGateway([
    // Each test has upstreams of its own, because circuits remember.
    ...statuses.flatMap((status) => [
      openai(`status-${status}`, one.url, 'max_retries: 0'),
      anthropic(`claude-${status}`, one.url, 'max_retries: 0'),
    ]),
    openai('no-connection', blackHole.url, 'max_retries: 0, timeouts: { connect_ms: 300 }'),
    openai('no-head', one.url, 'max_retries: 3, timeouts: { first_byte_ms: 300 }'),
    openai('no-head-then', one.url, 'models: [no-head-then], timeouts: { first_byte_ms: 300 }'),
    openai('no-more', one.url, 'max_retries: 3, timeouts: { idle_ms: 300 }'),
    ...['bounded', 'seconds', 'date', 'ms', 'should-not', 'too-long', 'first-byte', 'lost', 'stored', 'once'].map(
      (name) => openai(name, one.url, 'max_retries: 2'),
    ),
    ...refusals.map((status) => openai(`refusal-${status}`, one.url, 'max_retries: 2')),
    openai('refused-then', 'http://127.0.0.1:9', 'models: [refused-then]'),
    openai('order', one.url, 'models: [order], max_retries: 0'),
    openai('then', three.url, 'models: [no-head-then, refused-then, order]'),
    { name: 'siblings', settings: replicas('siblings', 'max_retries: 2') },
    { name: 'sick', settings: replicas('sick', 'max_retries: 2') },
    anthropic('to-claude', one.url, 'max_retries: 0, models: ["anthropic/*"]'),
    { name: 'to-chat', url: one.url, settings: 'kind: openai-compatible, models: ["chat/*"], max_retries: 0' },
    openai('garbage', urlOf(garbage), 'max_retries: 1'),
    openai('untrusted', urlOf(secure), 'max_retries: 0'),
    openai('trusted', urlOf(secure), `ca_file: ${join(folder, 'ca.pem')}`),
    openai('proxied', one.url, `proxy: "${proxy.url}"`),
    openai('proxied-tls', urlOf(secure), `proxy: "${proxy.url}", ca_file: ${join(folder, 'ca.pem')}`),
    anthropic('first-claude', one.url, 'max_retries: 0, models: [d-36]'),
    openai('second-gpt', two.url, 'models: [d-36], model_names: { d-36: gpt-5.6-sol }'),
    openai('first-gpt', two.url, 'max_retries: 0, models: [d-36-back], model_names: { d-36-back: gpt-5.6-sol }'),
    anthropic('second-claude', one.url, 'models: [d-36-back], model_names: { d-36-back: claude-opus-5 }'),
  ])
})
afterAll(async () => {
  await gateway.stop()
  blackHole.close()
  await Promise.all([one.close(), two.close(), three.close(), proxy.close()])
  await Promise.all([garbage, secure].map((server) => new Promise((done) => server.close(done))))
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => {
  for (const upstream of [one, two, three]) {
    upstream.answer = answerShortly
    upstream.requests.length = 0
  }
})

/** Refused once, or asked again; all are passed on. */
const statuses = [400, 401, 403, 404, 413, 422, 429, 500, 503, 529]
/** Never asked again. */
const refusals = [400, 401, 402, 403, 404, 405, 410, 413, 422, 501]

const openai = (name: string, url: string, more: string) => ({
  name,
  url,
  settings: `kind: openai, api_key: k, ${more.includes('models') ? '' : `models: [${name}], `}${more}`,
})
const anthropic = (name: string, url: string, more: string) => ({
  name,
  url,
  settings: `kind: anthropic, api_key: k, ${more.includes('models') ? '' : `models: [${name}], `}${more}`,
})
const replicas = (name: string, more: string): string =>
  `kind: openai, api_key: k, replicas: ["${one.url}", "${two.url}"], models: [${name}], ${more}`

describe('timeouts', () => {
  test('no connection within connect_ms is a 504 that says so', async () => {
    const { status, text, ms, row } = await ask('no-connection')
    expect([status, text]).toEqual([504, expect.stringContaining('no connection within its time')])
    expect(ms).toBeLessThan(30_000)
    expect(row).toMatchObject({ status: 504, error_code: 'upstream_timeout', upstream: 'no-connection' })
  })

  test('no head within first_byte_ms is a 504, and the upstream is not asked again: it may still be at work', async () => {
    one.answer = () => undefined
    const { status, text, ms, row } = await ask('no-head')
    expect([status, text]).toEqual([504, expect.stringContaining('no first byte within its time')])
    expect(ms).toBeGreaterThan(250)
    expect(one.requests).toHaveLength(1)
    expect(row).toMatchObject({ status: 504, error_code: 'upstream_timeout' })
  })

  test('after first_byte_ms the next upstream in order is asked', async () => {
    one.answer = () => undefined
    const { status, row } = await ask('no-head-then')
    expect([status, one.requests.length, three.requests.length]).toEqual([200, 1, 1])
    expect(row).toMatchObject({ upstream: 'then', warnings: ['failover: then'] })
  })

  test('silence of idle_ms in a whole answer is an error before its head has left, and is not asked again', async () => {
    one.answer = (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{')
    const { row, broken } = await ask('no-more')
    expect(broken).toBe(false)
    expect(row).toMatchObject({ status: 504, error_code: 'upstream_timeout' })
    expect(one.requests).toHaveLength(1)
  })
})

describe('retries', () => {
  test('are bounded by max_retries, each a row with its parent; the last refusal is passed on', async () => {
    one.answer = (_request, response, count) => sendJson(response, { error: { message: `no ${count}` } }, 500)
    const { status, text, id, row } = await ask('bounded')
    expect([status, text, one.requests.length]).toEqual([500, '{"error":{"message":"no 3"}}', 3])
    expect(row).toMatchObject({ kind: 'request', status: 500 })
    const attempts = await attemptsOf(gateway.url, id)
    expect(attempts).toHaveLength(3)
    for (const attempt of attempts) {
      expect(attempt).toMatchObject({ kind: 'attempt', parent_id: id, status: 500, upstream: 'bounded' })
      expect(attempt.usage).toMatchObject({ fresh: null, output: null })
    }
  })

  test('that lead to an answer are a warning and rows; the answer is the client’s', async () => {
    one.answer = (request, response, count) => {
      if (count < 3) sendJson(response, { error: { message: 'busy' } }, 503, { 'retry-after-ms': '5' })
      else answerShortly(request, response)
    }
    const { status, text, id, row } = await ask('once')
    expect([status, JSON.parse(text)]).toEqual([200, chatAnswer])
    expect(row).toMatchObject({ status: 200, warnings: ['retried: once'] })
    expect((await attemptsOf(gateway.url, id)).map((attempt) => attempt.status)).toEqual([503, 503])
  })

  test.each([
    ['seconds', 'retry-after', () => '1', 950],
    ['date', 'retry-after', () => new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000).toUTCString(), 900],
    ['ms', 'retry-after-ms', () => '700', 650],
  ])('wait as long as the upstream says: %s in %s', async (model, header, value, least) => {
    one.answer = (request, response, count) => {
      if (count === 1) sendJson(response, { error: { message: 'slow' } }, 429, { [header]: value() })
      else answerShortly(request, response)
    }
    const { status, ms } = await ask(model)
    expect([status, one.requests.length]).toEqual([200, 2])
    expect(ms).toBeGreaterThan(least)
  })

  test('are left to the client where the upstream says x-should-retry: false, or asks for a long pause', async () => {
    one.answer = (_request, response) =>
      sendJson(response, { error: { message: 'spent' } }, 429, { 'x-should-retry': 'false' })
    expect((await ask('should-not')).status).toBe(429)
    expect(one.requests).toHaveLength(1)
    one.answer = (_request, response) =>
      sendJson(response, { error: { message: 'spent' } }, 429, { 'retry-after': '90' })
    const { status, headers, ms } = await ask('too-long')
    expect([status, headers.get('retry-after'), one.requests.length]).toEqual([429, '90', 2])
    expect(ms).toBeLessThan(30_000)
  })

  test.each(refusals)('a %i is not asked again', async (status) => {
    one.answer = (_request, response) => sendJson(response, { error: { message: 'no' } }, status)
    expect((await ask(`refusal-${status}`)).status).toBe(status)
    expect(one.requests).toHaveLength(1)
  })

  test('never follow the first byte of an answer', async () => {
    one.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(chat.transcript.subarray(0, chat.cut), () => setTimeout(() => void response.destroy(), 10))
    }
    const answer = await post(gateway.url + chat.path, chat.body('first-byte', true))
    expect(await answer.text()).toContain('"error"')
    expect(one.requests).toHaveLength(1)
  })

  test('follow a lost connection, but not of a Responses request that goes on in the background', async () => {
    one.answer = (request, response, count) => {
      if (count === 1) response.socket?.destroy()
      else answerShortly(request, response)
    }
    expect((await ask('lost')).status).toBe(200)
    expect(one.requests).toHaveLength(2)
    one.requests.length = 0
    one.answer = (_request, response) => void response.socket?.destroy()
    const body = responses.body('stored', false, { background: true })
    const answer = await post(gateway.url + responses.path, body)
    expect([answer.status, one.requests.length]).toEqual([502, 1])
    expect(await answer.text()).toContain('the connection was lost')
  })

  test('stop when the client leaves in a pause', async () => {
    one.answer = (_request, response) => sendJson(response, { error: { message: 'slow' } }, 429, { 'retry-after': '8' })
    const controller = new AbortController()
    const asked = post(gateway.url + chat.path, chat.body('ms', false), { signal: controller.signal })
    await expect.poll(() => one.requests.length).toBe(1)
    controller.abort()
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(async () => (await attemptsWith(gateway.url, 'ms', 499)).length).toBe(1)
    expect(one.requests).toHaveLength(1)
  })
})

describe('replicas and upstreams', () => {
  test('a replica that refuses connections is passed over, and the next upstream in order asked', async () => {
    const { status, row, id } = await ask('refused-then')
    expect(status).toBe(200)
    expect(row).toMatchObject({ upstream: 'then', warnings: ['failover: then'] })
    const [attempt] = await attemptsOf(gateway.url, id)
    expect(attempt).toMatchObject({ upstream: 'refused-then', status: 502, error_code: 'upstream_unreachable' })
  })

  test('upstreams are asked in their order, whatever the session', async () => {
    for (let i = 0; i < 12; i++) await ask('order', { 'x-session-affinity': `session ${i}` })
    expect([one.requests.length, three.requests.length]).toEqual([12, 0])
  })

  test('the last try of a replica that refuses goes to its sibling', async () => {
    const refusing = sessionAt('sick')
    const session = await refusing
    one.answer = (_request, response) => sendJson(response, { error: { message: 'sick' } }, 500)
    const { status, row } = await ask('sick', { 'x-session-affinity': session })
    expect([status, one.requests.length, two.requests.length]).toEqual([200, 2, 1])
    expect(row.warnings).toEqual(['retried: sick'])
  })

  test('a session leaves a replica that dies for its sibling, and returns when it is back', async () => {
    const session = await sessionAt('siblings')
    const port = Number(new URL(one.url).port)
    await one.close()
    for (let i = 0; i < 2; i++) {
      expect((await ask('siblings', { 'x-session-affinity': session })).row.replica).toBe(new URL(two.url).host)
    }
    one = await startRecordingUpstream(port)
    const { row } = await ask('siblings', { 'x-session-affinity': session })
    expect(row).toMatchObject({ replica: new URL(one.url).host, warnings: [] })
  })

  test('a circuit opens after five failures, says when to come again, and closes when the upstream is back', async () => {
    const upstream = await startReturningUpstream()
    const port = Number(new URL(upstream.url).port)
    await upstream.close()
    const other = await startGateway([
      openai('circuit', upstream.url, 'max_retries: 0, models: ["gpt*"]'),
      anthropic('circuit-claude', upstream.url, 'max_retries: 0, models: ["claude*"]'),
    ])
    let back: RecordingUpstream | undefined
    try {
      for (const d of spoken) {
        const model = d === messages ? 'claude-x' : 'gpt-x'
        // Responses goes where Chat has gone: that circuit is open already.
        const failures = d === responses ? 0 : 5
        for (let i = 0; i < failures; i++) {
          const refused = await post(other.url + d.path, d.body(model, false))
          expect([refused.status, await refused.text()]).toEqual([
            502,
            expect.stringContaining('connection was refused'),
          ])
        }
        const open = await post(other.url + d.path, d.body(model, false))
        expect(open.status).toBe(503)
        expect(Number(open.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
        expect(Number(open.headers.get('retry-after'))).toBeLessThanOrEqual(3)
        const body = (await open.json()) as { type?: string; error: { message: string } }
        expect(body.type).toBe(d === messages ? 'error' : undefined)
        expect(body.error.message).toContain('has answered lately')
      }
      back = await startRecordingUpstream(port)
      await expect
        .poll(async () => (await post(other.url + chat.path, chat.body('gpt-x', false))).status, { interval: 200 })
        .toBe(200)
      // Closed at once, for everybody.
      const all = await Promise.all(
        Array.from({ length: 8 }, () => post(other.url + chat.path, chat.body('gpt-x', false))),
      )
      expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
    } finally {
      await other.stop()
      await back?.close()
    }
  })
})

describe('D-36', () => {
  const marked = {
    system: [{ type: 'text', text: 'rules '.repeat(2_000), cache_control: { type: 'ephemeral' } }],
    messages: [{ role: 'user', content: 'Hello?' }],
  }

  test('D-36 a failover is planned anew: marks of the upstream that is asked, none of the one that failed, and back again', async () => {
    one.answer = (_request, response) => sendJson(response, { type: 'error', error: { type: 'overloaded_error' } }, 529)
    const answer = await post(gateway.url + messages.path, messages.body('d-36', false, marked))
    expect(answer.status).toBe(200)
    expect(answer.headers.get('x-incipit-warnings')).toContain('failover: second-gpt')
    expect(answer.headers.get('x-incipit-route')).toMatch(/^second-gpt\//)
    expect(one.requests[0]?.body.toString()).toContain('"cache_control"')
    const sent = two.requests[0]?.body.toString() ?? ''
    expect(sent).not.toContain('cache_control')
    expect(sent).toContain('"prompt_cache_breakpoint"')
    expect(JSON.parse(sent)).toMatchObject({ model: 'gpt-5.6-sol' })
    expect(two.requests[0]?.headers).not.toHaveProperty('x-api-key')

    const id = idOf(answer)
    const row = await rowOf(gateway.url, id)
    expect(row).toMatchObject({ upstream: 'second-gpt', served_model: 'gpt-5.6-sol', status: 200 })
    expect(row.warnings).toContain('failover: second-gpt')
    expect(row.usage).toMatchObject({ fresh: 4, read: 16, output: 2 })
    expect(await attemptsOf(gateway.url, id)).toMatchObject([
      { kind: 'attempt', parent_id: id, upstream: 'first-claude', status: 529 },
    ])

    one.answer = answerShortly
    const next = await post(gateway.url + messages.path, messages.body('d-36', false, marked))
    expect(next.headers.get('x-incipit-route')).toMatch(/^first-claude\//)
    expect((await rowOf(gateway.url, idOf(next))).warnings).toEqual([])
  })

  test('D-36 the other way round: a Chat body for OpenAI becomes one of Anthropic with its marks', async () => {
    two.answer = (_request, response) => void response.socket?.destroy()
    const breakpoint = { mode: 'explicit' }
    const system = { type: 'text', text: 'rules '.repeat(2_000), prompt_cache_breakpoint: breakpoint }
    const body = {
      model: 'd-36-back',
      max_completion_tokens: 16,
      messages: [
        { role: 'system', content: [system] },
        { role: 'user', content: 'Hello?' },
      ],
    }
    const answer = await post(gateway.url + chat.path, body)
    expect(answer.status).toBe(200)
    expect(two.requests[0]?.body.toString()).toContain('"prompt_cache_breakpoint"')
    const sent = one.requests[0]?.body.toString() ?? ''
    expect(sent).not.toContain('prompt_cache_breakpoint')
    expect(sent).toContain('"cache_control":{"type":"ephemeral"')
    expect((await rowOf(gateway.url, idOf(answer))).warnings).toContain('failover: second-claude')
  })
})

describe('answers that are none', () => {
  test.each(statuses)('an error body with %i passes byte for byte in its dialect, with its headers', async (status) => {
    for (const d of spoken) {
      const bytes = `{ "error" : {"type":"t", "message":"é ${status}",\n"extra":1.50 } }`
      one.answer = (_request, response) => {
        response.writeHead(status, {
          'content-type': 'application/problem+json',
          'request-id': 'req_up',
          'retry-after': '7',
        })
        response.end(bytes)
      }
      const model = d === messages ? `claude-${status}` : `status-${status}`
      const answer = await post(gateway.url + d.path, d.body(model, true))
      expect([answer.status, await answer.text()]).toEqual([status, bytes])
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect([answer.headers.get('request-id'), answer.headers.get('retry-after')]).toEqual(['req_up', '7'])
      expect((await rowOf(gateway.url, idOf(answer))).status).toBe(status)
    }
  })

  test('an error is put into the dialect of the client with its message, as its official client understands it', async () => {
    const openaiClient = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'unused', maxRetries: 0 })
    const claudeClient = new Anthropic({ baseURL: gateway.url, apiKey: 'unused', maxRetries: 0 })
    const hello = [{ role: 'user', content: 'Hello?' }] as const
    const error = { type: 'error', error: { type: 'rate_limit_error', message: 'Too fast, é.' } }
    one.answer = (_request, response) => sendJson(response, error, 429, { 'retry-after': '60' })
    const limited = { status: 429, message: expect.stringContaining('Too fast, é.') }
    const asChat = openaiClient.chat.completions.create({ model: 'anthropic/x', messages: [...hello] })
    await expect(asChat).rejects.toBeInstanceOf(RateLimitError)
    await expect(asChat).rejects.toMatchObject(limited)
    await expect(openaiClient.responses.create({ model: 'anthropic/x', input: 'Hello?' })).rejects.toMatchObject(
      limited,
    )
    one.answer = (_request, response) =>
      sendJson(
        response,
        { error: { message: 'No such model.', type: 'invalid_request_error', code: 'model_not_found' } },
        404,
      )
    const asMessages = claudeClient.messages.create({ model: 'chat/x', max_tokens: 8, messages: [...hello] })
    await expect(asMessages).rejects.toBeInstanceOf(NotFoundError)
    await expect(asMessages).rejects.toMatchObject({ status: 404, message: expect.stringContaining('No such model.') })
  })

  test('a page of a proxy and an empty body pass in the same dialect, and are measured, not repeated, in another', async () => {
    for (const body of ['<html><body>502 of a proxy at 10.0.0.1</body></html>', '']) {
      one.answer = (_request, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end(body)
      const passed = await post(gateway.url + chat.path, chat.body('chat/x', false))
      expect([passed.status, await passed.text(), passed.headers.get('content-type')]).toEqual([502, body, 'text/html'])
      const translated = await post(gateway.url + messages.path, messages.body('chat/x', false))
      expect(translated.status).toBe(502)
      expect(translated.headers.get('content-type')).toMatch(/^application\/json/)
      const text = await translated.text()
      expect(JSON.parse(text)).toMatchObject({
        type: 'error',
        error: { message: expect.stringContaining(`${body.length}`) },
      })
      expect(text).not.toContain('10.0.0.1')
    }
  })

  test.each(['{"id":"x","choices":[', '', '<html>fine</html>', '[]', 'null', '{"choices":[]}'])(
    'an answer %j with 200 is a 502 where it has to be understood, and never a crash',
    async (body) => {
      one.answer = (_request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).end(body)
      for (const [d, model] of [
        [messages, 'chat/x'],
        [chat, 'anthropic/x'],
        [responses, 'anthropic/x'],
      ] as const) {
        const answer = await post(gateway.url + d.path, d.body(model, false))
        expect([answer.status, body]).toEqual([502, body])
        expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'upstream_failed' })
        const stream = await post(gateway.url + d.path, d.body(model, true))
        expect(stream.status).toBe(502)
        await stream.text()
      }
      const passed = await post(gateway.url + chat.path, chat.body('chat/x', false))
      expect([passed.status, await passed.text()]).toEqual([200, body])
    },
  )

  test('what is not HTTP is a 502 that says so', async () => {
    const { status, text } = await ask('garbage')
    expect([status, text]).toEqual([502, expect.stringContaining('its answer is not HTTP')])
  })
})

describe('TLS and proxies', () => {
  test('a certificate nobody has signed is refused with clear words, and taken with ca_file', async () => {
    const { status, text, row } = await ask('untrusted')
    expect([status, text]).toEqual([502, expect.stringContaining('its certificate was not accepted')])
    expect(row).toMatchObject({ error_code: 'upstream_unreachable' })
    expect((await ask('trusted')).status).toBe(200)
  })

  test('the proxy of an upstream is used, with TLS through it, and others are called directly', async () => {
    expect((await ask('proxied')).status).toBe(200)
    expect(proxy.passed).toEqual([new URL(one.url).host])
    expect((await ask('proxied-tls')).status).toBe(200)
    expect(proxy.passed).toEqual([new URL(one.url).host, new URL(urlOf(secure)).host])
    expect((await ask('order')).status).toBe(200)
    expect(proxy.passed).toHaveLength(2)
  })
})

test('the proxy of the environment is used, but not for what NO_PROXY names', async () => {
  for (const [exempt, expected] of [
    ['', [new URL(one.url).host]],
    ['127.0.0.1', []],
  ] as const) {
    proxy.passed.length = 0
    const config = `engine: { enabled: false }\nupstreams:\n  - { name: up, base_url: "${one.url}", kind: openai, api_key: k }`
    const env = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: exempt, no_proxy: exempt }
    const other = await startServerProcess({ config, env })
    try {
      expect((await post(other.url + chat.path, chat.body('m', false))).status).toBe(200)
      expect(proxy.passed).toEqual(expected)
    } finally {
      await other.stop()
    }
  }
})

/** Asks for a short whole answer of Chat. */
async function ask(model: string, headers: Record<string, string> = {}) {
  const before = performance.now()
  const answer = await post(gateway.url + chat.path, chat.body(model, false), { headers })
  let broken = false
  const text = await answer.text().catch(() => {
    broken = true
    return ''
  })
  const ms = performance.now() - before
  const id = idOf(answer)
  return { status: answer.status, headers: answer.headers, text, broken, ms, id, row: await rowOf(gateway.url, id) }
}

/** A session that the first replica of this model serves. */
async function sessionAt(model: string): Promise<string> {
  for (let i = 0; i < 64; i++) {
    const session = `session ${i} of ${model}`
    const { row } = await ask(model, { 'x-session-affinity': session })
    if (row.replica === new URL(one.url).host) {
      one.requests.length = 0
      two.requests.length = 0
      return session
    }
  }
  throw new Error('no session of 64 led to the first replica')
}

async function attemptsWith(url: string, model: string, status: number): Promise<unknown[]> {
  const answer = await fetch(`${url}/v1/events?limit=1000&model=${model}`)
  const { data } = (await answer.json()) as { data: { status: number }[] } // the API's documented shape
  return data.filter((row) => row.status === status)
}

function urlOf(server: Server): string {
  const { port } = server.address() as AddressInfo // it listens on TCP
  return `${server === secure ? 'https' : 'http'}://127.0.0.1:${port}`
}
