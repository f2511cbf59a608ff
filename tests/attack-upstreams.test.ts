import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { Row } from './support/ledger.ts'
import { idOf, rowOf } from './support/ledger.ts'
import { post } from './support/post.ts'
import type { RawUpstream } from './support/raw-upstream.ts'
import { startRawUpstream, wholeAnswer } from './support/raw-upstream.ts'
import { chatAnswer, chatStream } from './support/recording-upstream.ts'

const whole = JSON.stringify(chatAnswer)
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'
const named = `content-type: application/json\r\ncontent-length: ${whole.length}`

/** What an upstream writes, and the statuses it may lead to; `end` = then it closes. */
interface Misdeed {
  readonly bytes: string
  readonly statuses: readonly number[]
  readonly end?: boolean
}

const misdeeds: Readonly<Record<string, Misdeed>> = {
  'two media types': { bytes: wholeAnswer(whole, ['content-type: text/html']), statuses: [200] },
  'two codings': { bytes: wholeAnswer(whole, ['content-encoding: x', 'content-encoding: y']), statuses: [200] },
  'a refusal of two codings': {
    bytes: wholeAnswer('{}', ['content-encoding: x', 'content-encoding: y'], '400 Bad Request'),
    statuses: [400],
  },
  'two pauses': { bytes: wholeAnswer('{}', ['retry-after: 9', 'retry-after: 8'], '429 Slow'), statuses: [429] },
  'headers that objects inherit': {
    bytes: wholeAnswer(whole, ['__proto__: a', '__proto__: b', 'constructor: c', 'constructor: d']),
    statuses: [200],
  },
  'a header that is no ASCII': { bytes: wholeAnswer(whole, ['x-a: \xe6\xbc\xa2']), statuses: [200] },
  'a control character in a header': { bytes: wholeAnswer(whole, ['x-a: a\x01b']), statuses: [502] },
  'too many header bytes': { bytes: wholeAnswer(whole, [`x-a: ${'a'.repeat(3e5)}`]), statuses: [502] },
  'early hints by the thousand': {
    bytes: 'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n'.repeat(2_000) + wholeAnswer(whole),
    statuses: [200],
  },
  'status 000': { bytes: wholeAnswer(whole, [], '000 X'), statuses: [502] },
  'status 101': { bytes: 'HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n', statuses: [502] },
  'status 1000': { bytes: wholeAnswer(whole, [], '1000 X'), statuses: [502] },
  'nothing, with 204': { bytes: 'HTTP/1.1 204 No Content\r\n\r\n', statuses: [204, 502] },
  'a length and chunks': {
    bytes: `HTTP/1.1 200 OK\r\n${named}\r\ntransfer-encoding: chunked\r\n\r\n${whole}`,
    statuses: [502],
  },
  'two lengths': { bytes: wholeAnswer(whole, ['content-length: 5']), statuses: [502] },
  'a length that is too long': {
    bytes: `HTTP/1.1 200 OK\r\ncontent-length: ${whole.length + 9}\r\n\r\n${whole}`,
    statuses: [502],
    end: true,
  },
  'chunks that are none': {
    bytes: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n${whole}`,
    statuses: [502],
  },
  trailers: {
    bytes: `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${whole.length.toString(16)}\r\n${whole}\r\n0\r\nx-t: 1\r\n\r\n`,
    statuses: [200],
  },
  TLS: { bytes: '\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03', statuses: [502] },
  'answers inside each other': { bytes: wholeAnswer('{"response":'.repeat(60_000)), statuses: [200, 502] },
  'events inside each other': {
    bytes: `${streamHead}data: ${'{"response":'.repeat(60_000)}\n\ndata: [DONE]\n\n`,
    statuses: [200, 502],
    end: true,
  },
  'JSON that is deep': { bytes: wholeAnswer('['.repeat(2e5) + ']'.repeat(2e5)), statuses: [200, 502] },
  'usage inside each other': {
    bytes: `${streamHead}data: ${'"usage":{'.repeat(300_000)}\n\ndata: [DONE]\n\n`,
    statuses: [200, 502],
    end: true,
  },
}
const names = Object.keys(misdeeds)

/** Endless bytes, as fast as they are taken; then `tail`. */
function flood(socket: Socket, piece: string, limit: number, tail = ''): void {
  const block = piece.repeat(Math.ceil(65_536 / piece.length))
  let sent = 0
  const go = (): void => {
    for (;;) {
      if (socket.destroyed) return
      if (sent >= limit) return void socket.end(tail)
      sent += block.length
      if (!socket.write(block, 'latin1')) return void socket.once('drain', go)
    }
  }
  go()
}

let upstream: RawUpstream
let gateway: ServerProcess

beforeAll(async () => {
  upstream = await startRawUpstream()
  // One of each for every misdeed: circuits and connections of one say nothing about another.
  const rows = [...names, 'other'].map((_, index) => ({
    name: `u${index}`,
    url: upstream.url,
    settings: `kind: openai-compatible, models: ["m${index}"], max_retries: 0, max_connections: 1, timeouts: { first_byte_ms: 5000, idle_ms: 5000 }`,
  }))
  gateway = await startGateway(rows)
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.close()
})

const other = `m${names.length}`
const messages = [{ role: 'user', content: 'Hi' }]

async function ask(
  path: string,
  model: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly answer: Response; readonly text: string }> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages, max_tokens: 5, ...more }),
    redirect: 'manual',
    signal: AbortSignal.timeout(20_000),
  })
  return { answer, text: await answer.text() }
}

describe.each(Object.entries(misdeeds).map(([name, misdeed], index) => [name, misdeed, index] as const))(
  'an upstream that sends %s',
  (_name, misdeed, index) => {
    test('is told as what it is, to clients of both dialects, and takes no connection along', async () => {
      const { bytes, statuses, end } = misdeed
      upstream.answer = (socket) => {
        socket.write(bytes, 'latin1')
        if (end === true) socket.end()
      }
      for (const stream of [false, true]) {
        for (const path of ['/v1/chat/completions', '/v1/messages']) {
          const { answer, text } = await ask(path, `m${index}`, { stream })
          // Whatever can be read of it in one dialect, the other one may have to refuse.
          expect([...statuses, ...(path === '/v1/messages' ? [502] : [])], text.slice(0, 200)).toContain(answer.status)
          expect(text).not.toMatch(/node_modules|\.js:\d+|TypeError|RangeError: M/)
        }
      }
      // The one connection there is serves again, once the circuit lets it.
      upstream.answer = (socket) => socket.write(wholeAnswer(whole))
      await expect
        .poll(async () => (await ask('/v1/chat/completions', `m${index}`)).answer.status, {
          timeout: 10_000,
          interval: 100,
        })
        .toBe(200)
      expect(gateway.output()).not.toContain('a request failed unexpectedly')
    })
  },
)

describe('redirects of an upstream', () => {
  test.each([301, 302, 303, 307, 308, 304])('%d is neither followed nor passed on', async (status) => {
    const lone = await startRawUpstream()
    lone.answer = (socket) => socket.write(wholeAnswer('', [`location: ${lone.url}/elsewhere`], `${status} X`))
    const settings = 'kind: openai, api_key: sk-secret, models: ["*"], max_retries: 0'
    const server = await startGateway([{ name: 'oa', url: lone.url, settings }])
    try {
      for (const path of ['/v1/chat/completions', '/v1/messages']) {
        const answer = await post(`${server.url}${path}`, { model: 'm', max_tokens: 5, messages })
        expect([answer.status, answer.headers.get('location')]).toEqual([502, null])
        expect(answer.text).toContain(`redirect (${status})`)
      }
      const stored = await fetch(`${server.url}/v1/responses/resp_1`, { redirect: 'manual' })
      expect([stored.status, stored.headers.get('location')]).toEqual([502, null])
      expect(lone.requests.map(({ head }) => head.split(' ')[1])).not.toContain('/elsewhere')
    } finally {
      await server.stop()
      await lone.close()
    }
  })
})

test('an upstream says nothing in our name, and sets no cookies', async () => {
  const headers = ['x-incipit-route: evil', 'x-incipit-request-id: evil', 'set-cookie: a=b', 'set-cookie: c=d']
  upstream.answer = (socket) => socket.write(wholeAnswer(whole, headers))
  const { answer } = await ask('/v1/chat/completions', other)
  expect(answer.headers.get('x-incipit-route')).toMatch(/^u\d+\/127/)
  expect(answer.headers.get('x-incipit-request-id')).toMatch(/^req_[0-9a-f]{24}$/)
  expect(answer.headers.getSetCookie()).toEqual([])
})

test('a media type has no case: a stream of another spelling is a stream', async () => {
  upstream.answer = (socket) => socket.end(streamHead.replace('text/event-stream', 'Text/Event-Stream') + chatStream)
  const { text } = await ask('/v1/messages', other, { stream: true })
  expect(text).toContain('event: message_stop')
})

test('M-2 counts that cannot be true are not reported, and no sum is spoilt by them', async () => {
  const before = await totals()
  for (const count of ['9007199254740991', '1e15', '-20', '2.5', '"20"', '1e400', '{"__proto__":20}']) {
    const usage = `{"__proto__":{"prompt_tokens":7},"prompt_tokens":${count},"prompt_tokens_details":{"cached_tokens":${count}},"completion_tokens":${count}}`
    upstream.answer = (socket) => socket.write(wholeAnswer(`{"id":"x","choices":[],"usage":${usage}}`))
    const { answer } = await ask('/v1/chat/completions', other)
    const row: Row = await rowOf(gateway.url, idOf(answer))
    expect([row['input_tokens'], row['cached_input_tokens'], row.usage['output']], count).toEqual([null, null, null])
  }
  expect(await totals()).toEqual(before)
})

async function totals(): Promise<unknown> {
  const { input_tokens, cached_input_tokens, output_tokens } = (await (
    await fetch(`${gateway.url}/v1/summary`)
  ).json()) as Record<string, unknown> // the API's documented shape
  return { input_tokens, cached_input_tokens, output_tokens }
}

describe('floods', () => {
  test('what follows the end of a stream is not kept, however fast it comes', async () => {
    upstream.answer = (socket) => {
      socket.write(`${streamHead}${chatStream}`)
      flood(socket, 'data: {"x":1}\n\n', 250e6)
    }
    const { answer, text } = await ask('/v1/chat/completions', other, { stream: true })
    expect(answer.status).toBe(200)
    expect(text.startsWith('data: {"id":"chatcmpl-1"')).toBe(true)
    expect(text.length).toBeLessThan(4e6)
  })

  test('reports of usage under ever new names do not grow without end', async () => {
    upstream.answer = (socket) => {
      const reports = Array.from(
        { length: 40_000 },
        (_, k) => `data: {"choices":[],"usage":{"prompt_tokens":3,"k${k}":1}}\n\n`,
      )
      socket.end(`${streamHead}${reports.join('')}${chatStream}`)
    }
    const begun = performance.now()
    const { answer, text } = await ask('/v1/chat/completions', other, { stream: true })
    expect(text).toContain('[DONE]')
    expect(performance.now() - begun).toBeLessThan(30_000)
    const { raw_usage: raw } = (await (await fetch(`${gateway.url}/v1/events/${idOf(answer)}`)).json()) as {
      raw_usage: object // the API's documented shape
    }
    expect(Object.keys(raw).length).toBeLessThanOrEqual(64)
    expect((await rowOf(gateway.url, idOf(answer)))['input_tokens']).toBe(20)
  })

  test.each([
    ['one endless line', 'a'],
    ['events without end', 'data: {}\n\n'],
    ['comments', ':\n\n'],
  ])('%s is bounded for clients of both dialects, and others are served meanwhile', async (_name, piece) => {
    for (const path of ['/v1/chat/completions', '/v1/messages']) {
      upstream.answer = (socket) => {
        socket.write(`${streamHead}data: `)
        flood(socket, piece, 8e6, `\n\n${chatStream}`)
      }
      const flooded = ask(path, other, { stream: true })
      const begun = performance.now()
      expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
      expect(performance.now() - begun).toBeLessThan(20_000)
      expect((await flooded).answer.status).toBe(200)
    }
  })
})

describe('P-6 an answer goes to who asked for it', () => {
  const answerTo = (body: string): string =>
    wholeAnswer(whole.replace('"ok"', JSON.stringify(/token-\d+/.exec(body)?.[0] ?? 'none')))
  const cases: Readonly<Record<string, (socket: Socket, answer: string) => void>> = {
    'in two parts': (socket, answer) => {
      socket.write(answer.slice(0, 40))
      setImmediate(() => socket.write(answer.slice(40)))
    },
    'with a second answer at once': (socket, answer) => socket.write(answer + answer.replace(/token-\d+/, 'token-0')),
    'with bytes behind its length': (socket, answer) => socket.write(`${answer}token-0`),
  }

  test.each(Object.entries(cases))('%s', async (_name, send) => {
    let next = 0
    upstream.answer = (socket, { body }) => send(socket, answerTo(body))
    for (let round = 0; round < 15; round++) {
      const asked = Array.from({ length: 4 }, () => `token-${++next}`)
      const answers = await Promise.all(
        asked.map((token) =>
          ask('/v1/chat/completions', other, { messages: [{ role: 'user', content: `${token} ` }] }),
        ),
      )
      const mixedUp = answers.filter(
        ({ answer, text }, index) => answer.status === 200 && /token-\d+/.exec(text)?.[0] !== asked[index],
      )
      expect(mixedUp).toEqual([])
      expect(answers.some(({ answer }) => answer.status === 200)).toBe(true)
    }
  })
})
