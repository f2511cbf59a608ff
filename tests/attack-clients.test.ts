import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { post } from './support/post.ts'
import { sendRaw, startRawUpstream } from './support/raw-upstream.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { answerShortly, responsesAnswer, sendJson, startRecordingUpstream } from './support/recording-upstream.ts'

const acme = { authorization: 'Bearer acme-key-0123456789' }
const beta = { authorization: 'Bearer beta-key-0123456789' }
const config = `
keys:
  - { key: acme-key-0123456789, org: acme, name: a, role: admin }
  - { key: beta-key-0123456789, org: beta, name: b }
`
const messages = [{ role: 'user', content: 'Hi' }]
const chat = '/v1/chat/completions'

let upstream: RecordingUpstream
/** Two organisations that share credentials. */
let shared: ServerProcess
/** One organisation alone. */
let alone: ServerProcess

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const rows = [
    {
      name: 'oa',
      url: upstream.url,
      settings: 'kind: openai, api_key: sk-oa, models: ["gpt*"], headers: { x-op: ours }',
    },
    { name: 'an', url: upstream.url, settings: 'kind: anthropic, api_key: sk-an, models: ["claude*"]' },
    { name: 'vl', url: upstream.url, settings: 'kind: vllm, models: ["vl*"]' },
    {
      name: 'cf',
      url: `${upstream.url}/client/v4/accounts/0123/ai`,
      settings: 'kind: workers-ai, api_key: sk-cf, models: ["@cf/*"]',
    },
  ]
  shared = await startGateway(rows, { config })
  alone = await startGateway(rows)
})
afterAll(async () => {
  await Promise.all([shared?.stop(), alone?.stop()])
  await upstream?.close()
})
beforeEach(() => {
  upstream.answer = answerShortly
  upstream.requests.length = 0
})

/** A request whose path no client library would let pass; resolves with the status. */
async function statusOf(url: string, target: string, more: readonly string[] = []): Promise<number> {
  const head = [`${target} HTTP/1.1`, 'host: 127.0.0.1', 'connection: close', ...more]
  const received = await sendRaw(url, `${head.join('\r\n')}\r\n\r\n`)
  return Number(/^HTTP\/1.1 (\d+)/.exec(received)?.[1])
}

describe('P-6 what other organisations have stored', () => {
  beforeAll(async () => {
    for (const [id, headers] of [['resp_acme', acme] as const, ['resp_beta', beta] as const]) {
      upstream.answer = (_request, response) => sendJson(response, { ...responsesAnswer, id })
      const { status } = await post(`${shared.url}/v1/responses`, { model: 'gpt', input: 'Hi' }, headers)
      if (status !== 200) throw new Error(`the gateway answered ${status}`)
    }
  })

  test.each([
    'resp_beta/..%2Fresp_acme',
    'resp_beta/%2e%2e%2fresp_acme',
    'resp_beta/..%2F..%2Ffiles',
    'resp_beta/..',
    'resp_beta/%2e%2e',
    'resp_beta/%5c..%5cresp_acme',
    'resp_beta%2F..%2Fresp_acme',
    'resp_acme',
    '..%2Ffiles',
  ])('is not reached by the path of a stored answer: %s', async (path) => {
    for (const method of ['GET', 'POST']) {
      const more = [`authorization: ${beta.authorization}`, ...(method === 'POST' ? ['content-length: 0'] : [])]
      expect(await statusOf(shared.url, `${method} /v1/responses/${path}`, more)).toBeOneOf([404, 405])
    }
    expect(upstream.requests).toEqual([])
  })

  test('what is no path of its own stays one part of its answer', async () => {
    for (const part of ['a%23b', 'a%3Fb'])
      await statusOf(shared.url, `GET /v1/responses/resp_beta/${part}`, [`authorization: ${beta.authorization}`])
    const paths = upstream.requests.map((request) => request.path)
    expect(paths).toEqual(['/v1/responses/resp_beta/a%23b', '/v1/responses/resp_beta/a%3Fb'])
  })

  test('nor does one organisation alone reach other paths of its provider that way', async () => {
    for (const path of ['..%2Ffiles', 'x%2F..%2F..%2Ffiles', '%2e%2e/files', 'resp_beta/..%2F..%2Ffiles']) {
      expect(await statusOf(alone.url, `GET /v1/responses/${path}`)).toBe(404)
    }
    expect(upstream.requests).toEqual([])
  })

  test('its own answer is reached, without the key that stood in the query', async () => {
    const path = '/v1/responses/resp_beta/input_items?key=beta-key-0123456789&limit=2'
    expect(await statusOf(shared.url, `GET ${path}`)).toBe(200)
    expect(upstream.requests.map((request) => request.path)).toEqual(['/v1/responses/resp_beta/input_items?limit=2'])
  })

  test.each([
    ['taken back by null', 404, '"input":"Hi","previous_response_id":"resp_acme","previous_response_id":null'],
    ['beside its own', 400, '"input":"Hi","previous_response_id":"resp_acme","previous_response_id":"resp_beta"'],
    ['escaped', 404, '"input":"Hi","previous\\u005fresponse_id":"resp_acme"'],
    ['a conversation, taken back', 403, '"input":"Hi","conversation":"conv_1","conversation":null'],
    ['a single item', 403, '"input":[{"type":"item_reference","id":"msg_acme"}]'],
    ['a single item without a type', 403, '"input":[{"id":"msg_acme"}]'],
  ])('is not referred to: %s', async (_name, status, members) => {
    for (const path of ['/v1/responses', '/v1/responses/compact', '/v1/responses/input_tokens', chat]) {
      expect((await post(`${shared.url}${path}`, `{"model":"gpt",${members}}`, beta)).status).toBe(status)
    }
    expect(upstream.requests).toEqual([])
    expect((await post(`${alone.url}/v1/responses`, `{"model":"gpt",${members}}`)).status).toBe(200)
  })
})

test('P-6 a salt that a client repeats is ours each time', async () => {
  const body = '{"model":"vl","messages":[{"role":"user","content":"Hi"}],"cache_salt":"acme","cache\\u005fsalt":"b"}'
  expect((await post(`${shared.url}${chat}`, body, beta)).status).toBe(200)
  const sent = upstream.requests[0]?.body.toString('utf8') ?? ''
  expect([...sent.matchAll(/"cache(?:_|\\u005f)salt":"([^"]*)"/g)].map(([, value]) => value)).toEqual(
    Array.from({ length: 2 }, () => expect.stringMatching(/^inc_[0-9a-f]{64}$/)),
  )
})

test.each(['@cf/..%2f..%2f..%2fuser', '@cf/%2e%2e/%2e%2e/x', '@cf/../../x', '@cf/.', '@cf/x/./y', '@cf/%252e%252e/x'])(
  'a model that would lead to another path of the provider is refused: %s',
  async (model) => {
    const body = JSON.stringify({ messages })
    const more = ['content-type: application/json', `content-length: ${body.length}`, '', body].join('\r\n')
    const head = `POST /client/v4/accounts/a/ai/run/${model} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n`
    const received = await sendRaw(alone.url, `${head}${more}`)
    expect(received).toMatch(/^HTTP\/1.1 400/)
    expect(upstream.requests).toEqual([])
  },
)

test('headers that are set for an upstream, and those of the hop, are not the client’s to send', async () => {
  const body = JSON.stringify({ model: 'gpt', messages })
  const head = [
    `POST ${chat} HTTP/1.1`,
    'host: 127.0.0.1',
    'connection: close, X-Hop',
    'content-type: application/json',
    `content-length: ${body.length}`,
    'X-Op: theirs',
    'x-hop: 1',
    'x-else: 2',
  ]
  expect(await sendRaw(alone.url, `${head.join('\r\n')}\r\n\r\n${body}`)).toMatch(/^HTTP\/1.1 200/)
  const sent = upstream.requests.map(({ headers }) => [headers['x-op'], headers['x-hop'], headers['x-else']])
  expect(sent).toEqual([['ours', undefined, '2']])
})

const mark = '"cache_control":{"type":"ephemeral"}'
const breakpoint = '"prompt_cache_breakpoint":{"mode":"explicit"}'
const text = `{"type":"text","text":"a",${mark}}`
const thinking = `{"type":"thinking","thinking":"a","signature":"b",${mark}}`
const many = (one: string): string => Array.from({ length: Math.floor(2e6 / one.length) }, () => one).join(',')
const claude = (blocks: string): string =>
  `{"model":"claude","max_tokens":1,"messages":[{"role":"user","content":[${blocks}]}]}`

test.each([
  ['marks', '/v1/messages', claude(many(text))],
  ['marks and labels', '/v1/messages', claude(many(`{"type":"text","text":"a",${mark},"incipit":{"label":"a"}}`))],
  [
    'marks inside a block',
    '/v1/messages',
    claude(`{"type":"tool_result","tool_use_id":"t","content":[${many(text)}]}`),
  ],
  [
    'marks on thinking',
    '/v1/messages',
    claude('{"type":"text","text":"a"}').replace('}]}]}', `}]},{"role":"assistant","content":[${many(thinking)}]}]}`),
  ],
  ['marks for another dialect', '/v1/messages', claude(many(text)).replace('claude', 'gpt')],
  ['marks of another dialect', chat, `{"model":"claude","messages":[{"role":"user","content":[${many(text)}]}]}`],
  [
    'breakpoints',
    '/v1/responses',
    `{"model":"gpt","input":[{"role":"user","content":[${many(`{"type":"input_text","text":"a",${breakpoint}}`)}]}]}`,
  ],
  [
    'breakpoints for another dialect',
    '/v1/responses',
    `{"model":"claude","input":[{"role":"user","content":[${many(`{"type":"input_text","text":"a",${breakpoint}}`)}]}]}`,
  ],
  [
    'thoughts in a row',
    '/v1/responses',
    `{"model":"claude","input":[{"role":"user","content":"a"},${many('{"type":"reasoning","id":"r","summary":[]}')}]}`,
  ],
  ['labels', chat, `{"model":"gpt","messages":[${many('{"role":"user","content":"x","incipit":{"label":"a"}}')}]}`],
  [
    'members that have no counterpart',
    chat,
    `{"model":"claude","messages":[{"role":"user","content":[{"type":"text","text":"a",${many('"x":1')}}]}]}`,
  ],
])(
  'tens of thousands of %s block nobody, and the answer has headers that clients take',
  async (_name, path, body) => {
    const begun = performance.now()
    const answer = await post(`${alone.url}${path}`, body)
    // What is quadratic in them takes a minute.
    expect(performance.now() - begun).toBeLessThan(40_000)
    expect(answer.status, answer.text.slice(0, 300)).toBe(200)
    const size = [...answer.headers].reduce((sum, [name, value]) => sum + name.length + value.length, 0)
    expect(size).toBeLessThan(8_000)
  },
  90_000,
)

describe('connections', () => {
  const body = JSON.stringify({ model: 'gpt', messages })
  const prompt = (more: string, content = body): string =>
    `POST ${chat} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${more}\r\n\r\n${content}`
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const hidden = 'GET /v1/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'

  async function inFlight(gateway: ServerProcess): Promise<number> {
    const page = await (await fetch(`${gateway.url}/metrics`)).text()
    return Number(/^incipit_requests_in_flight (\d+)$/m.exec(page)?.[1])
  }

  test.each([
    ['a length and chunks', prompt('content-length: 6\r\ntransfer-encoding: chunked', `${chunked}${hidden}`)],
    ['two lengths', prompt(`content-length: ${body.length}\r\ncontent-length: 5`)],
    ['a list of lengths', prompt(`content-length: ${body.length}, ${body.length}`)],
    ['a signed length', prompt(`content-length: +${body.length}`)],
    ['two codings of the transfer', prompt('transfer-encoding: chunked\r\ntransfer-encoding: identity', chunked)],
    ['an unknown coding of the transfer', prompt('transfer-encoding: xchunked', chunked)],
    ['a space before the colon', prompt('transfer-encoding : chunked', chunked)],
    ['a folded header', prompt(`x-a: b\r\n transfer-encoding: chunked\r\ncontent-length: ${body.length}`)],
    [
      'a line feed in the extension of a chunk',
      prompt('transfer-encoding: chunked', chunked.replace('\r', ';a="\n"\r')),
    ],
    [
      'an endless extension of a chunk',
      prompt('transfer-encoding: chunked', chunked.replace('\r', `;${'a'.repeat(3e5)}\r`)),
    ],
    ['line feeds only', prompt(`content-length: ${body.length}`).replaceAll('\r\n', '\n')],
    ['a NUL in a header', prompt(`x-a: a\0b\r\ncontent-length: ${body.length}`)],
  ])('two readings of one request are no request: %s', async (_name, bytes) => {
    const received = await sendRaw(alone.url, bytes)
    expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    expect(upstream.requests).toEqual([])
  })

  test('a client that sends far ahead is cut off, and what it asked for ends with its connection', async () => {
    upstream.answer = () => undefined
    const one = prompt(`content-length: ${body.length}`)
    const ahead = sendRaw(alone.url, one.repeat(2_000))
    expect(await ahead).toBe('')
    await expect.poll(async () => inFlight(alone), { timeout: 5_000 }).toBe(0)
    expect(upstream.requests.length).toBeLessThanOrEqual(128)
  })

  test('answers that wait behind another one end with their connection, too', async () => {
    const silent = await startRawUpstream()
    silent.answer = (socket) => {
      if (silent.requests.length === 1)
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {}\n\n')
    }
    const gateway = await startGateway([
      { name: 'x', url: silent.url, settings: 'kind: openai-compatible, models: ["*"]' },
    ])
    try {
      const streamed = JSON.stringify({ model: 'gpt', stream: true, messages })
      const first = prompt(`content-length: ${streamed.length}`, streamed)
      const more = prompt(`content-length: ${body.length}`).repeat(4)
      const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
      socket.write(first + more)
      await expect.poll(() => silent.requests.length, { timeout: 5_000 }).toBe(5)
      expect(await inFlight(gateway)).toBe(5)
      socket.destroy()
      await expect.poll(async () => inFlight(gateway), { timeout: 5_000 }).toBe(0)
    } finally {
      await gateway.stop()
      await silent.close()
    }
  })

  test('bytes that are no request never stand in the midst of an answer', async () => {
    const slow = await startRawUpstream()
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n'
    slow.answer = (socket) => socket.write(`${head}data: {"choices":[]}\n\n`)
    const gateway = await startGateway([
      { name: 'x', url: slow.url, settings: 'kind: openai-compatible, models: ["*"]' },
    ])
    try {
      const streamed = JSON.stringify({ model: 'gpt', stream: true, messages })
      const received = await sendRaw(gateway.url, [
        prompt(`content-length: ${streamed.length}`, streamed),
        'GARBAGE\r\n\r\n',
      ])
      expect(received).toContain('data: {"choices":[]}')
      expect(received.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200'])
    } finally {
      await gateway.stop()
      await slow.close()
    }
  })

  test('memory stays within bounds over a thousand bad requests of all kinds', async () => {
    const rounds: number[] = []
    const bad: (() => Promise<unknown>)[] = [
      () => post(`${alone.url}${chat}`, '{"model":'),
      () => post(`${alone.url}${chat}`, { model: `none-${Math.random()}`, messages }),
      () => post(`${alone.url}/v1/messages`, { model: 'claude', max_tokens: 1, messages, x: 'y'.repeat(5_000) }),
      () => post(`${alone.url}${chat}`, { model: 'gpt', messages }, { 'x-session-id': String(Math.random()) }),
      () => post(`${alone.url}/nowhere/${Math.random()}`, ''),
      () => sendRaw(alone.url, 'GARBAGE\r\n\r\n'),
    ]
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 50; i++) await Promise.all(bad.map((send) => send()))
      rounds.push(rssOf(alone.pid))
    }
    expect(Math.max(...rounds) - (rounds[0] ?? 0), rounds.join(', ')).toBeLessThan(80)
    expect((await post(`${alone.url}${chat}`, body)).status).toBe(200)
  }, 60_000)
})

/** Resident memory of a process in MB. */
function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}
