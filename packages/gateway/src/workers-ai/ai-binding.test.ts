import { readdir, readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import type { AiBinding, AiResult } from './index.ts'
import { AiBindingError, createAiBinding } from './index.ts'

interface Seen {
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

let server: Server
let baseUrl: string
let seen: Seen[]
let answer: (response: ServerResponse) => void
let AI: AiBinding

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push({ url: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) })
      answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  seen = []
  AI = createAiBinding({ baseUrl, accountId: 'acc/1', apiToken: 'token-1' })
})

const envelope = (status: number, body: unknown) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

const usage = {
  prompt_tokens: 9727,
  completion_tokens: 12,
  total_tokens: 9739,
  prompt_tokens_details: { cached_tokens: 9216 },
}

const messages = [
  { role: 'system', content: 'You are a helpful assistant.' },
  { role: 'user', content: 'Explain prefix caching.' },
] as const

test('CF-5 the binding call as documented reaches the REST route, header included, and gives the result', async () => {
  answer = envelope(200, { result: { response: 'ok', usage }, success: true, errors: [], messages: [] })
  const response = await AI.run(
    '@cf/moonshotai/kimi-k2.5',
    { messages },
    { headers: { 'x-session-affinity': 'ses_12345678' } },
  )
  expect(response).toEqual({ response: 'ok', usage })
  expect(response.usage?.prompt_tokens_details?.cached_tokens).toBe(9216)
  expect(seen).toMatchObject([
    {
      url: '/client/v4/accounts/acc%2F1/ai/run/@cf/moonshotai/kimi-k2.5',
      headers: {
        authorization: 'Bearer token-1',
        'x-session-affinity': 'ses_12345678',
        'content-type': 'application/json',
      },
      body: { messages },
    },
  ])
})

test('CF-5 a stream arrives byte for byte, as it is written', async () => {
  const events = ['data: {"response":"pre"}\n\n', 'data: {"response":"fixé"}\r\n\r\n', 'data: [DONE]\n\n']
  let write: ServerResponse | undefined
  answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(events[0])
    write = response
  }
  const stream = await AI.run('@cf/meta/llama-3.1-8b-instruct', { prompt: 'Hello', stream: true })
  const reader = stream.getReader()
  const first = await reader.read()
  expect(Buffer.from(first.value ?? []).toString()).toBe(events[0])
  for (const event of events.slice(1)) write?.write(event)
  write?.end()
  const rest: Uint8Array[] = []
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) rest.push(chunk.value)
  expect(Buffer.concat(rest).toString()).toBe(events.slice(1).join(''))
  expect(seen[0]?.body).toEqual({ prompt: 'Hello', stream: true })
})

describe('CF-5 failures are AiBindingErrors with what the envelope says', () => {
  test.each([
    [
      404,
      { success: false, errors: [{ code: 5007, message: 'No such model' }], result: null, messages: [] },
      5007,
      'No such model',
    ],
    [503, { success: false, errors: [{ code: 3040, message: 'busy' }, { message: 'later' }] }, 3040, 'busy; later'],
    [200, { success: false, errors: [{ code: 1, message: 'not after all' }], result: null }, 1, 'not after all'],
    [502, '<html>bad gateway</html>', undefined, 'the gateway answered 502 with no envelope'],
    [200, '{"response":"no envelope"}', undefined, 'the gateway answered 200 with no envelope'],
    [200, 'null', undefined, 'the gateway answered 200 with no envelope'],
  ])('%i %j', async (status, body, code, message) => {
    answer = envelope(status, body)
    const error = await AI.run('m', { prompt: 'x' }).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(AiBindingError)
    expect(error).toMatchObject({ name: 'AiBindingError', status, code, message })
  })

  test('also for a stream that was refused', async () => {
    answer = envelope(429, { success: false, errors: [{ code: 3036, message: 'limited' }] })
    await expect(AI.run('m', { prompt: 'x', stream: true })).rejects.toMatchObject({
      status: 429,
      code: 3036,
      message: 'limited',
    })
  })
})

test('CF-5 a gateway that cannot be reached, or goes away, is an AiBindingError that names the address', async () => {
  const gone = createServer()
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
  const { port } = gone.address() as AddressInfo
  await new Promise((resolve) => gone.close(resolve))
  const unreachable = createAiBinding({ baseUrl: `http://127.0.0.1:${port}`, accountId: 'a', apiToken: 't' })
  const url = `http://127.0.0.1:${port}/client/v4/accounts/a/ai/run/@cf/m`
  await expect(unreachable.run('@cf/m', { prompt: 'x' })).rejects.toMatchObject({
    name: 'AiBindingError',
    status: undefined,
    message: `no answer from ${url}: ECONNREFUSED`,
  })

  answer = (response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('{', () => response.destroy())
  }
  await expect(AI.run('@cf/m', { prompt: 'x' })).rejects.toMatchObject({
    name: 'AiBindingError',
    message: expect.stringMatching(/^no answer from http\S+@cf\/m: /),
  })
})

test('CF-5 returnRawResponse gives the answer as it came, refused or not', async () => {
  answer = envelope(429, { success: false, errors: [{ code: 3036, message: 'limited' }] })
  const response = await AI.run('m', { prompt: 'x' }, { returnRawResponse: true })
  expect(response).toBeInstanceOf(Response)
  expect(response.status).toBe(429)
  expect(await response.json()).toMatchObject({ errors: [{ code: 3036 }] })
})

test('options that are missing, or no address, are refused at once', () => {
  const create = createAiBinding as (options?: object) => AiBinding
  expect(() => create()).toThrow(new TypeError('createAiBinding needs baseUrl, a text; got undefined'))
  expect(() => create({ baseUrl })).toThrow(new TypeError('createAiBinding needs accountId, a text; got undefined'))
  expect(() => create({ baseUrl, accountId: 'a' })).toThrow(TypeError)
  expect(() => create({ baseUrl: 'nowhere', accountId: 'a', apiToken: 't' })).toThrow(
    new TypeError('baseUrl must be an HTTP address such as http://127.0.0.1:4141, got "nowhere"'),
  )
})

test('CF-5 aborting ends the call and the connection', async () => {
  const closed = new Promise<void>((resolve) => {
    answer = (response) => void response.once('close', resolve)
  })
  const controller = new AbortController()
  const running = AI.run('m', { prompt: 'x' }, { signal: controller.signal })
  await expect.poll(() => seen.length).toBe(1)
  controller.abort()
  await expect(running).rejects.toThrow('aborted')
  await closed
})

test('base URLs with and without the API root, and a fetch of one’s own, work alike', async () => {
  const urls: string[] = []
  const fetch: typeof globalThis.fetch = async (input) => {
    urls.push(input instanceof Request ? input.url : input.toString())
    return Response.json({ success: true, result: { response: '' } })
  }
  for (const base of [
    'http://h:1',
    'http://h:1/',
    'http://h:1/client/v4',
    'http://h:1/client/v4/',
    'https://h:1/gateway',
  ]) {
    await createAiBinding({ baseUrl: base, accountId: 'a', apiToken: 't', fetch }).run('@cf/x/y z', { prompt: '' })
  }
  const path = '/client/v4/accounts/a/ai/run/@cf/x/y%20z'
  expect(urls).toEqual([...Array.from({ length: 4 }, () => `http://h:1${path}`), `https://h:1/gateway${path}`])
  expect(() => createAiBinding({ baseUrl: 'file:///x', accountId: 'a', apiToken: 't' })).toThrow(
    'must be an HTTP address',
  )
})

test('CF-5 the type of the answer follows the inputs', () => {
  const typed = (AI: AiBinding) => ({
    whole: () => AI.run('m', { prompt: 'x' }),
    stream: () => AI.run('m', { prompt: 'x', stream: true }),
    raw: () => AI.run('m', { prompt: 'x', stream: true }, { returnRawResponse: true }),
  })
  expectTypeOf<ReturnType<ReturnType<typeof typed>['whole']>>().toEqualTypeOf<Promise<AiResult>>()
  expectTypeOf<ReturnType<ReturnType<typeof typed>['stream']>>().toEqualTypeOf<Promise<ReadableStream<Uint8Array>>>()
  expectTypeOf<ReturnType<ReturnType<typeof typed>['raw']>>().toEqualTypeOf<Promise<Response>>()
})

test('CF-5 the module stands alone: it imports nothing but its own files', async () => {
  const folder = new URL('.', import.meta.url)
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const imported = await Promise.all(
    files.map(async (name) => [
      ...(await readFile(new URL(name, folder), 'utf8')).matchAll(/\bfrom '([^']+)'|import\('([^']+)'\)/g),
    ]),
  )
  const specifiers = imported.flat().map((match) => match[1] ?? match[2] ?? '')
  expect(specifiers.length).toBeGreaterThan(0)
  expect(specifiers.filter((specifier) => !files.some((name) => specifier === `./${name}`))).toEqual([])
})
