import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { request } from 'node:http'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { APIError as AnthropicError } from '@anthropic-ai/sdk'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { APIError as OpenAIError } from 'openai'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { storedZstd } from '../packages/gateway/src/http/testing/stored-zstd.ts'
import type { Spoken } from './support/dialects.ts'
import { chat, messages, responses, spoken } from './support/dialects.ts'
import { startGateway } from './support/gateway.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import type { RecordingUpstream, SentRequest } from './support/recording-upstream.ts'
import { answerShortly, startRecordingUpstream } from './support/recording-upstream.ts'

let gateway: ServerProcess
let upstream: RecordingUpstream

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const { url } = upstream
  const limits = 'max_retries: 0, max_answer_bytes: 65536, timeouts: { idle_ms: 1000 }'
  gateway = await startGateway([
    { name: 'same-openai', url, settings: 'kind: openai, api_key: k, models: ["gpt*"]' },
    { name: 'same-anthropic', url, settings: 'kind: anthropic, api_key: k, models: ["claude*"]' },
    // Speaks Messages only: Chat and Responses are translated, and the other way round.
    { name: 'to-anthropic', url, settings: `kind: anthropic, api_key: k, models: ["anthropic/*"], max_retries: 0` },
    { name: 'to-chat', url, settings: 'kind: openai-compatible, models: ["chat/*"], max_retries: 0' },
    { name: 'to-responses', url, settings: 'kind: openai-compatible, speaks: [openai-responses], models: ["resp/*"]' },
    { name: 'small-openai', url, settings: `kind: openai, api_key: k, models: ["small-gpt"], ${limits}` },
    { name: 'small-anthropic', url, settings: `kind: anthropic, api_key: k, models: ["small-claude"], ${limits}` },
    { name: 'small-to-chat', url, settings: `kind: openai-compatible, models: ["small-chat"], ${limits}` },
  ])
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})
afterEach(() => {
  upstream.answer = answerShortly
  upstream.requests.length = 0
})

/** The model that is served in its own dialect. */
const same = (name: string): string => (name === 'anthropic-messages' ? 'claude-x' : 'gpt-x')
const small = (name: string): string => (name === 'anthropic-messages' ? 'small-claude' : 'small-gpt')
/** The model for which another dialect is spoken. */
const other = (name: string): string => (name === 'anthropic-messages' ? 'chat/x' : 'anthropic/x')
/** The model with tight limits whose upstream speaks the dialect of `sent`. */
const limited = (d: Spoken, sent: Spoken): string =>
  sent === messages ? 'small-claude' : d === messages ? 'small-chat' : 'small-gpt'

describe('bytes', () => {
  test.each(spoken)(
    'D-51 a stream of $name reaches the client byte for byte, with its usage in the ledger',
    async (d) => {
      streams(d.transcript, 7)
      const answer = await post(gateway.url + d.path, d.body(same(d.name), true, askingForUsage(d.name)))
      expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
      expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(sha256(d.transcript))
      const row = await rowOf(gateway.url, idOf(answer))
      expect(row).toMatchObject({ status: 200, stream: true, error_code: null, warnings: [] })
      expect(row.usage['fresh']).toBeGreaterThan(0)
      expect(row.usage['output']).toBeGreaterThan(0)
      expect(row['ttft_ms']).toBeGreaterThan(0)
      expect(row['ttft_ms']).toBeLessThanOrEqual(Number(row['total_ms']))
    },
  )

  test.each(spoken)('D-51 a client of $name that asked for no stream gets JSON, byte for byte', async (d) => {
    const bytes = Buffer.from(JSON.stringify(d.whole, null, 3))
    upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'x-of-upstream': '1' })
      response.write(bytes.subarray(0, 40))
      setTimeout(() => response.end(bytes.subarray(40)), 5)
    }
    const answer = await post(gateway.url + d.path, d.body(same(d.name), false))
    expect(answer.headers.get('content-type')).toBe('application/json')
    expect(answer.headers.get('x-of-upstream')).toBe('1')
    expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(sha256(bytes))
    const { usage } = await rowOf(gateway.url, idOf(answer))
    expect(usage).toMatchObject({ fresh: 4, read: 16, output: 2 })
  })

  test('pings and comments pass', async () => {
    const stream = `: OPENROUTER PROCESSING\n\n${chat.transcript.toString()}`
    streams(Buffer.from(stream), 11)
    const answer = await post(gateway.url + chat.path, chat.body('gpt-x', true, askingForUsage('openai-chat')))
    expect(await answer.text()).toBe(stream)
    expect(messages.transcript.toString()).toContain('event: ping')
  })

  test('pings of an upstream keep a translated stream alive, too', async () => {
    streams(messages.transcript, 300)
    const answer = await post(gateway.url + responses.path, responses.body('anthropic/x', true))
    expect(await answer.text()).toContain(': ping\n\n')
  })

  test('TTFT is noted at the first content, not at the head or at a ping', async () => {
    const [opening, rest] = split(messages.transcript, messages.transcript.indexOf('event: content_block_delta'))
    upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(opening)
      setTimeout(() => response.end(rest), 250)
    }
    const answer = await post(gateway.url + messages.path, messages.body('claude-x', true))
    await answer.text()
    expect((await rowOf(gateway.url, idOf(answer)))['ttft_ms']).toBeGreaterThan(240)
  })
})

describe('usage asked for on behalf of a client', () => {
  test.each([1, 3, 64, 5_000])('is hidden again, cut into pieces of %i bytes, and is in the ledger', async (size) => {
    streams(chat.transcript, size)
    const answer = await post(gateway.url + chat.path, chat.body('gpt-x', true))
    const text = await answer.text()
    expect(upstream.requests[0]?.body.toString()).toContain('"include_usage":true')
    expect(text).toBe(chatWithoutUsage())
    const row = await rowOf(gateway.url, idOf(answer))
    expect(row).toMatchObject({ edits: ['inject-usage'], status: 200 })
    expect(row.usage['output']).toBeGreaterThan(0)
  })

  test('stays where the client asked itself, whose body is then not touched', async () => {
    streams(chat.transcript, 64)
    const body = chat.body('gpt-x', true, askingForUsage('openai-chat'))
    const answer = await post(gateway.url + chat.path, body)
    expect(await answer.text()).toBe(chat.transcript.toString())
    expect(upstream.requests[0]?.body.toString()).toBe(JSON.stringify(body))
    expect((await rowOf(gateway.url, idOf(answer))).edits).toEqual([])
  })
})

describe('content codings that nobody asked for', () => {
  const coders: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['gzip', (bytes) => zlib.gzipSync(bytes)],
    ['br', (bytes) => zlib.brotliCompressSync(bytes)],
    ['deflate', (bytes) => zlib.deflateSync(bytes)],
    ['zstd', storedZstd],
  ]

  test.each(coders)(
    '%s is asked off, decoded for the client, and metered: streams, JSON and errors',
    async (coding, encode) => {
      for (const d of spoken) {
        encoded(coding, encode(d.transcript), 200, 'text/event-stream')
        const stream = await post(gateway.url + d.path, d.body(same(d.name), true, askingForUsage(d.name)))
        expect(stream.headers.get('content-encoding')).toBeNull()
        expect(await stream.text()).toBe(d.transcript.toString())
        expect((await rowOf(gateway.url, idOf(stream))).usage['output']).toBeGreaterThan(0)

        encoded(coding, encode(Buffer.from(JSON.stringify(d.whole))), 200)
        const whole = await post(gateway.url + d.path, d.body(same(d.name), false))
        expect(await whole.json()).toEqual(d.whole)
        expect((await rowOf(gateway.url, idOf(whole))).usage).toMatchObject({ fresh: 4, read: 16, output: 2 })

        const error = JSON.stringify({ error: { message: 'no such thing', type: 'invalid_request_error' } })
        encoded(coding, encode(Buffer.from(error)), 422)
        const refusal = await post(gateway.url + d.path, d.body(same(d.name), false))
        expect([refusal.status, await refusal.text()]).toEqual([422, error])
        const translated = await post(gateway.url + d.path, d.body(other(d.name), false))
        expect(await translated.text()).toContain('no such thing')
      }
      for (const { headers } of upstream.requests) expect(headers['accept-encoding']).toBe('identity')
    },
  )

  test.each(coders)('%s is decoded before it is translated', async (coding, encode) => {
    encoded(coding, encode(chat.transcript), 200, 'text/event-stream')
    const answer = await post(gateway.url + messages.path, messages.body('chat/x', true))
    const text = await answer.text()
    expect(text).toContain('event: message_stop')
    expect((await rowOf(gateway.url, idOf(answer))).usage['output']).toBeGreaterThan(0)
  })

  test('an answer in another coding than it says, or cut off, is an error and no success', async () => {
    encoded('gzip', Buffer.from('{"plain":true}'), 200)
    const plain = await post(gateway.url + chat.path, chat.body('gpt-x', false))
    expect(plain.status).toBe(502)
    expect(await rowOf(gateway.url, idOf(plain))).toMatchObject({ status: 502, error_code: 'upstream_failed' })
    const cut = zlib.gzipSync(chat.transcript)
    encoded('gzip', cut.subarray(0, cut.length - 12), 200, 'text/event-stream')
    const stream = await post(gateway.url + chat.path, chat.body('gpt-x', true))
    await stream.text()
    expect((await rowOf(gateway.url, idOf(stream))).status).toBe(502)
  })

  test('a small answer cannot be blown up past max_answer_bytes', async () => {
    const bomb = zlib.gzipSync(Buffer.alloc(8 * 2 ** 20, ' '))
    expect(bomb.length).toBeLessThan(65_536)
    for (const d of spoken) {
      encoded('gzip', bomb, 200)
      const body = d.body(small(d.name), false)
      const answer = await post(gateway.url + d.path, body).then((head) =>
        head.text().then(
          () => head,
          () => head,
        ),
      )
      expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'upstream_too_large' })
    }
  })
})

describe('back-pressure', () => {
  test('an upstream stops while its client does not read, in bounded memory; a slow client then gets everything', async () => {
    const size = 64 * 2 ** 20
    for (const coding of [undefined, 'gzip'] as const) {
      const before = await residentBytes()
      const flood = floods(size, coding)
      const client = await slowClient(chat.path, chat.body('gpt-x', true, askingForUsage('openai-chat')))
      await expect.poll(() => flood.sent(), { interval: 50 }).toBeGreaterThan(2 ** 20)
      // It has come to rest: what was sent no longer grows.
      let last = -1
      await expect
        .poll(
          () => {
            const still = flood.sent() === last
            last = flood.sent()
            return still
          },
          { interval: 400 },
        )
        .toBe(true)
      expect(flood.sent()).toBeLessThan(size / 2)
      expect((await residentBytes()) - before).toBeLessThan(size / 2)
      expect(await client.rest()).toBe(flood.hash())
      expect((await rowOf(gateway.url, client.id)).status).toBe(200)
    }
  })
})

describe('clients that leave', () => {
  test.each(spoken)(
    'an abort of a $name stream reaches the upstream; the event says 499 and what is known',
    async (d) => {
      for (const model of [same(d.name), other(d.name)]) {
        const sent = model.startsWith('chat/') ? chat : model.startsWith('anthropic/') ? messages : d
        const closed = stalls(split(sent.transcript, sent.cut)[0])
        const controller = new AbortController()
        const answer = await post(gateway.url + d.path, d.body(model, true), { signal: controller.signal })
        const reader = answer.body?.getReader()
        await reader?.read()
        controller.abort()
        await closed
        const row = await rowOf(gateway.url, idOf(answer))
        expect(row).toMatchObject({ status: 499, error_code: 'client_closed' })
        expect(row.usage).toMatchObject(sent === messages ? { fresh: 12, read: 2_048, write_1h: 500 } : {})
      }
    },
  )

  test('an abort before the head reaches the upstream', async () => {
    const closed = new Promise<void>((resolve) => {
      upstream.answer = (_request, response) => void response.on('close', resolve)
    })
    const controller = new AbortController()
    const answer = post(gateway.url + chat.path, chat.body('gpt-x', true), { signal: controller.signal })
    await expect.poll(() => upstream.requests.length).toBe(1)
    controller.abort()
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
    await closed
    const { data } = (await (await fetch(`${gateway.url}/v1/events?limit=1`)).json()) as { data: unknown[] }
    await expect.poll(() => data[0]).toBeDefined()
    await expect
      .poll(async () => {
        const page = await (await fetch(`${gateway.url}/v1/events?limit=1`)).json()
        return (page as { data: { status: number }[] }).data[0]?.status
      })
      .toBe(499)
  })
})

describe('upstreams that break off', () => {
  for (const d of spoken) {
    for (const model of [same(d.name), other(d.name)]) {
      const sent = model.startsWith('chat/') ? chat : model.startsWith('anthropic/') ? messages : d
      const isError = d === messages ? AnthropicError : OpenAIError

      test(`D-51 a ${sent.name} stream that breaks off ends in an error event of ${d.name} that its SDK throws`, async () => {
        breaksOff(split(sent.transcript, sent.cut)[0])
        const answer = await post(gateway.url + d.path, d.body(model, true))
        const text = await answer.text()
        expect(text).not.toContain(d.terminal)
        // Every event before it is whole: clients parse each.
        for (const data of dataLines(text)) expect(() => JSON.parse(data) as unknown).not.toThrow()
        expect(dataLines(text).at(-1)).toContain('error')
        expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'upstream_failed' })
        const failure = await d.readWithSdk(gateway.url, model).then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(failure).toBeInstanceOf(isError)
        expect(String(failure)).toContain('connection was lost')
      })

      test(`D-51 an error event in a ${sent.name} stream is thrown by the SDK of ${d.name} and recorded as a failure`, async () => {
        streams(Buffer.from(withError(sent.name)), 50)
        const answer = await post(gateway.url + d.path, d.body(model, true))
        const text = await answer.text()
        const passed = d === chat ? chatWithoutNulls(withError(d.name)) : withError(d.name)
        expect(text).toBe(sent === d ? passed : text)
        expect(text).toContain('Overloaded')
        const row = await rowOf(gateway.url, idOf(answer))
        expect(row).toMatchObject({ status: 502, error_code: 'upstream_failed' })
        const failure = await d.readWithSdk(gateway.url, model).then(
          () => undefined,
          (error: unknown) => error,
        )
        expect(failure).toBeInstanceOf(isError)
      })

      test(`a ${sent.name} stream without its terminal event is told from a complete one by a client of ${d.name}`, async () => {
        streams(sent.transcript.subarray(0, sent.transcript.indexOf(sent.terminal)), 90)
        const answer = await post(gateway.url + d.path, d.body(model, true))
        const text = await answer.text()
        const row = await rowOf(gateway.url, idOf(answer))
        // It said why it ended: translated, the answer is complete for the client, and the ledger knows.
        expect(text.includes(d.terminal)).toBe(sent !== d)
        expect(row.status).toBe(200)
        expect(row.warnings.filter((warning) => !isOfTranslation(warning))).toEqual(['incomplete_answer: stream'])
      })

      test(`a ${sent.name} stream that goes silent ends in an error of ${d.name}`, async () => {
        void stalls(split(sent.transcript, sent.cut)[0])
        const answer = await post(gateway.url + d.path, d.body(limited(d, sent), true))
        expect(await answer.text()).toContain('went silent')
        expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({ status: 504, error_code: 'upstream_timeout' })
      })

      test(`a ${sent.name} stream whose upstream never closes, or breaks off behind its end, is complete for ${d.name}`, async () => {
        for (const how of ['stalls', 'breaks'] as const) {
          if (how === 'stalls') void stalls(sent.transcript)
          else breaksOff(sent.transcript)
          const answer = await post(gateway.url + d.path, d.body(model, true))
          expect(await answer.text()).toContain(d.terminal)
          const row = await rowOf(gateway.url, idOf(answer))
          expect(row).toMatchObject({ status: 200, error_code: null, warnings: row.warnings.filter(isOfTranslation) })
          expect(row.usage['output']).toBeGreaterThan(0)
        }
      })

      test(`an endless ${sent.name} stream is bounded by max_answer_bytes for a client of ${d.name}`, async () => {
        const closed = endless(split(sent.transcript, sent.cut)[0])
        const answer = await post(gateway.url + d.path, d.body(limited(d, sent), true))
        const text = await answer.text()
        await closed
        expect(text.length).toBeLessThan(200_000)
        expect(dataLines(text).at(-1)).toContain('error')
        expect(text).toContain('65536 are allowed')
        expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'upstream_too_large' })
      })
    }

    test(`a whole answer of ${d.name} that is too large is an error, or cut so that nobody takes it for whole`, async () => {
      sendsWhole(Buffer.alloc(200_000, ' '))
      const answer = await post(gateway.url + d.path, d.body(small(d.name), false))
      await expect(answer.text()).rejects.toThrow(/terminated|closed/)
      expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'upstream_too_large' })
    })
  }

  test.each([messages, chat])('a stream that never said how it ended is an error, translated into $name', async (d) => {
    streams(responses.transcript.subarray(0, responses.transcript.indexOf(responses.terminal)), 90)
    const answer = await post(gateway.url + d.path, d.body('resp/x', true))
    const text = await answer.text()
    expect(text).not.toContain(d.terminal)
    expect(dataLines(text).at(-1)).toContain('ended without saying how')
    expect(await rowOf(gateway.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'upstream_failed' })
    await expect(d.readWithSdk(gateway.url, 'resp/x')).rejects.toThrow(/ended without saying how/)
  })

  test('a terminal event that quotes nothing: text that holds [DONE] does not end a stream', async () => {
    const quoting = chat.transcript.toString().replace('"content":"', '"content":"[DONE] message_stop ')
    streams(Buffer.from(quoting), 40)
    const answer = await post(gateway.url + chat.path, chat.body('gpt-x', true, askingForUsage('openai-chat')))
    expect(await answer.text()).toBe(quoting)
    expect((await rowOf(gateway.url, idOf(answer))).usage['output']).toBeGreaterThan(0)
  })
})

describe('frames behind the terminal event', () => {
  test.each(['quirks/openai-chat/trailing-frame.sse', 'quirks/openai-responses/trailing-frame.sse'])(
    'D-43 %s passes whole and loses no usage',
    async (path) => {
      const transcript = readFileSync(new URL(`../fixtures/${path}`, import.meta.url))
      const d = path.includes('responses') ? responses : chat
      streams(transcript, 33)
      const answer = await post(gateway.url + d.path, d.body('gpt-x', true, askingForUsage(d.name)))
      expect(await answer.text()).toBe(transcript.toString())
      const row = await rowOf(gateway.url, idOf(answer))
      expect(row).toMatchObject({ status: 200, warnings: [] })
      expect(row.usage['output']).toBeGreaterThan(0)
    },
  )
})

describe('the ledger', () => {
  test.each(spoken)('M-2 has the row when the terminal event of a $name stream arrives', async (d) => {
    for (const model of [same(d.name), other(d.name)]) {
      const sent = model.startsWith('chat/') ? chat : model.startsWith('anthropic/') ? messages : d
      streams(sent.transcript, 200)
      const answer = await post(gateway.url + d.path, d.body(model, true))
      let text = ''
      for await (const chunk of answer.body ?? []) {
        text += Buffer.from(chunk).toString()
        if (text.includes(d.terminal)) break
      }
      // Once, without waiting: it must be there already.
      const row = await fetch(`${gateway.url}/v1/events/${idOf(answer)}`)
      expect(row.status).toBe(200)
      expect(await row.json()).toMatchObject({ status: 200, kind: 'request' })
    }
  })

  test.each(spoken)('M-2 has the row when the last byte of a whole $name answer arrives', async (d) => {
    const answer = await post(gateway.url + d.path, d.body(same(d.name), false))
    await answer.arrayBuffer()
    expect((await fetch(`${gateway.url}/v1/events/${idOf(answer)}`)).status).toBe(200)
  })
})

test('M-2 killed 5 times during 8 upstream streams, it has every event a client saw complete', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'incipit-relay-kill-'))
  const complete: (string | null)[] = []
  let cutOff = 0
  try {
    for (let round = 0; round < 5; round++) {
      const server = await startGateway(
        [
          { name: 'oa', url: upstream.url, settings: 'kind: openai, api_key: k, models: ["gpt*"]' },
          {
            name: 'an',
            url: upstream.url,
            settings: 'kind: anthropic, api_key: k, models: ["claude*", "anthropic/*"]',
          },
        ],
        { dataDir },
      )
      const running = Array.from({ length: 8 }, (_, index) => streamAt(server.url, index))
      // The k-th to end gives the signal: the others are at different points of their lives.
      await Promise.race(running.slice(0, 1 + (round % 3)))
      await server.kill()
      const ended = await Promise.all(running)
      complete.push(...ended.filter((id) => id !== undefined))
      cutOff += ended.filter((id) => id === undefined).length
    }
    const server = await startGateway([{ name: 'oa', url: upstream.url, settings: 'kind: openai, api_key: k' }], {
      dataDir,
    })
    for (const id of complete)
      expect(await (await fetch(`${server.url}/v1/events/${id}`)).json()).toMatchObject({ status: 200 })
    await server.stop()
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
  expect(complete.length).toBeGreaterThanOrEqual(5)
  expect(cutOff).toBeGreaterThan(5)
})

/** One of eight streams, each of another dialect and pace. @returns its id when the client saw it complete */
async function streamAt(url: string, index: number): Promise<string | null | undefined> {
  const d = spoken[index % 3] ?? chat
  const model = index === 7 ? 'anthropic/x' : same(d.name)
  upstream.answer = (request, response) => {
    // The pace stands in the prompt.
    const pace = Number(/pace (\d+)/.exec(request.body.toString())?.[1])
    const transcript = request.path.endsWith('/messages')
      ? messages
      : request.path.endsWith('/responses')
        ? responses
        : chat
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const events = transcript.transcript.toString('utf8').split(/(?<=\n\n)/)
    const timer = setInterval(() => {
      const event = events.shift()
      if (event === undefined) {
        clearInterval(timer)
        response.end()
      } else response.write(event)
    }, pace)
    response.on('close', () => clearInterval(timer))
  }
  try {
    const body = { ...d.body(model, true, askingForUsage(d.name)), metadata: { pace: `pace ${1 + index * 6}` } }
    const answer = await post(url + d.path, body)
    const text = await answer.text()
    return text.includes(d.terminal) ? idOf(answer) : undefined
  } catch {
    return undefined
  }
}

/** Answers with a stream, in pieces of so many bytes. */
function streams(bytes: Buffer, size: number): void {
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    writePieces(response, bytes, size, () => void response.end())
  }
}

function writePieces(response: ServerResponse, bytes: Buffer, size: number, done: () => void): void {
  response.socket?.setNoDelay(true)
  let at = 0
  const next = (): void => {
    // Many a turn, so that pieces leave apart; small ones in twos and threes.
    for (let i = 0; i < 3 && at < bytes.length; i++, at += size) response.write(bytes.subarray(at, at + size))
    if (at < bytes.length) setImmediate(next)
    else done()
  }
  next()
}

/** Answers with a stream that is cut behind these bytes. */
function breaksOff(bytes: Buffer): void {
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(bytes, () => setTimeout(() => void response.destroy(), 20))
  }
}

/** Answers with these bytes and says nothing more. @returns when the gateway has hung up */
async function stalls(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(bytes)
      response.on('close', resolve)
    }
  })
}

/** Repeats the last event of these bytes for ever. @returns when the gateway has hung up */
async function endless(bytes: Buffer): Promise<void> {
  const events = bytes.toString('utf8').split(/(?<=\n\n)/)
  const opening = events.slice(0, -1)
  const again = opening.findLast((event) => event.includes('delta')) ?? ''
  return new Promise((resolve) => {
    upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(opening.join(''))
      const timer = setInterval(() => response.write(again.repeat(20)), 2)
      response.on('close', () => {
        clearInterval(timer)
        resolve()
      })
    }
  })
}

function sendsWhole(bytes: Buffer): void {
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    writePieces(response, bytes, 16_384, () => void response.end())
  }
}

function encoded(coding: string, bytes: Buffer, status: number, type = 'application/json'): void {
  upstream.answer = (_request: SentRequest, response) => {
    response.writeHead(status, { 'content-type': type, 'content-encoding': coding })
    writePieces(response, bytes, 29, () => void response.end())
  }
}

/** Sends a stream of this size as fast as it is taken. */
function floods(size: number, coding: 'gzip' | undefined): { sent: () => number; hash: () => string } {
  const hash = createHash('sha256')
  let sent = 0
  let finished: string | undefined
  upstream.answer = (_request, response) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      ...(coding === undefined ? {} : { 'content-encoding': coding }),
    })
    const sink = coding === undefined ? response : zlib.createGzip({ level: 0 })
    if (sink !== response) sink.pipe(response)
    const send = (): void => {
      while (sent < size) {
        const event = Buffer.from(`data: {"choices":[{"delta":{"content":"${String(sent).padEnd(8_000, 'x')}"}}]}\n\n`)
        sent += event.length
        hash.update(event)
        if (!sink.write(event)) {
          sink.once('drain', send)
          return
        }
      }
      const end = 'data: [DONE]\n\n'
      hash.update(end)
      finished = hash.digest('hex')
      sink.end(end)
    }
    send()
  }
  return { sent: () => sent, hash: () => finished ?? 'not all was sent' }
}

/** A client that reads the head and then nothing, until it is asked for the rest. */
async function slowClient(path: string, body: unknown): Promise<{ id: string; rest: () => Promise<string> }> {
  const { hostname, port } = new URL(gateway.url)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method: 'POST', headers: { 'content-type': 'application/json' } })
    sent.on('error', reject)
    sent.on('response', (answer) => {
      answer.pause()
      resolve({
        id: String(answer.headers['x-incipit-request-id']),
        rest: async () => {
          const hash = createHash('sha256')
          for await (const chunk of answer) hash.update(chunk as Buffer)
          return hash.digest('hex')
        },
      })
    })
    sent.end(JSON.stringify(body))
  })
}

async function residentBytes(): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(gateway.pid)])
  return Number(stdout) * 1_024
}

function askingForUsage(name: string): Record<string, unknown> {
  return name === 'openai-chat' ? { stream_options: { include_usage: true } } : {}
}

function withError(name: string): string {
  const { transcript, cut } = spoken.find((d) => d.name === name) ?? chat
  const events = transcript
    .subarray(0, cut)
    .toString('utf8')
    .split(/(?<=\n\n)/)
    .slice(0, -1)
    .join('')
  const message = 'Overloaded'
  if (name === 'openai-chat') return `${events}data: {"error":{"message":"${message}","code":"busy"}}\n\n`
  if (name === 'anthropic-messages') {
    return `${events}event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"${message}"}}\n\n`
  }
  const error = { type: 'error', code: 'busy', message, param: null, sequence_number: 9, error: { message } }
  return `${events}event: error\ndata: ${JSON.stringify(error)}\n\n`
}

function chatWithoutNulls(stream: string): string {
  return stream.replaceAll(',"usage":null', '')
}

/** What an upstream sends that was not asked for usage. */
function chatWithoutUsage(): string {
  const events = chat.transcript.toString('utf8').split(/(?<=\n\n)/)
  return chatWithoutNulls(events.filter((event) => !event.includes('"choices":[]')).join(''))
}

function dataLines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length))
}

function isOfTranslation(warning: string): boolean {
  return !warning.startsWith('incomplete_answer')
}

function split(bytes: Buffer, at: number): [Buffer, Buffer] {
  expect(at).toBeGreaterThan(0)
  return [bytes.subarray(0, at), bytes.subarray(at)]
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
