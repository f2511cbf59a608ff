import { request as send } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { post, posted, rowOf } from './support/post.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { answerShortly, sendJson, startRecordingUpstream } from './support/recording-upstream.ts'

const acme = 'key-of-acme-web-0001'
const keys = `keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: key-of-bolt-web-0001, org: bolt, name: web-b, role: member }
`

let upstream: RecordingUpstream
/** One organisation alone. */
let open: ServerProcess
/** Two organisations that share what the provider keeps. */
let shared: ServerProcess

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const upstreams = [
    { name: 'an', url: upstream.url, settings: 'kind: anthropic, api_key: k, models: ["claude-*"]' },
    { name: 'oa', url: upstream.url, settings: 'kind: openai, api_key: k, headers: { x-of-config: c }' },
  ]
  open = await startGateway(upstreams)
  shared = await startGateway(upstreams, { config: keys })
})
beforeEach(() => {
  upstream.requests.length = 0
  upstream.answer = answerShortly
})
afterAll(async () => {
  await Promise.all([open?.stop(), shared?.stop()])
  await upstream?.close()
})

describe('F-2 a path below /responses leads nowhere else, however it is written', () => {
  const escapes = [
    'resp_1/..%2Fresp_2',
    'resp_1/..%2F..%2Ffiles',
    'resp_1/%2E%2E%2f%2e%2e%2ffiles',
    'resp_1/..%5Cresp_2',
    'resp_1/..',
    'resp_1/%2e%2e',
    'resp_1/a%2Fb',
    '..%2Ffiles',
    '%2e%2e/files',
    '%2e%2e%2ffiles%2ffile-1',
    '%2e',
  ]
  test.each(['GET', 'DELETE', 'POST'])('%s', async (method) => {
    await posted(`${shared.url}/v1/responses`, { model: 'gpt-1', input: 'x' }, { authorization: `Bearer ${acme}` })
    expect(await statusOf(shared, 'GET', 'resp_1/input_items')).toBe(200)
    upstream.requests.length = 0
    for (const server of [open, shared]) {
      for (const path of escapes) {
        const status = await statusOf(server, method, path)
        expect([404, 405], `${method} ${path} was answered with ${status}`).toContain(status)
      }
    }
    expect(upstream.requests.map(({ path }) => path)).toEqual([])
  })
})

test('P-5 what is asked about a stored answer arrives as it was asked, with the credential of the upstream', async () => {
  const headers = {
    accept: '*/*',
    authorization: 'Bearer anything',
    'openai-beta': 'responses=v2, new=v1',
    'openai-organization': 'org-of-the-client',
    'x-session-id': 'raw-session',
    'x-new-header': 'n',
  }
  for (const [method, path] of [
    ['GET', '/v1/responses/resp_1?include[]=reasoning.encrypted_content&beta=true'],
    ['DELETE', '/v1/responses/resp_1'],
    ['POST', '/v1/responses/resp_1/cancel'],
  ] as const) {
    upstream.requests.length = 0
    expect((await fetch(`${open.url}${path}`, { method, headers })).status).toBe(200)
    expect(upstream.requests).toMatchObject([{ method, path }])
    const sent = upstream.requests[0]?.headers
    expect(sent).toMatchObject({ accept: '*/*', 'openai-beta': headers['openai-beta'], 'x-new-header': 'n' })
    expect(sent).toMatchObject({ authorization: 'Bearer k', 'x-of-config': 'c' })
    expect(Object.keys(sent ?? {})).not.toEqual(expect.arrayContaining(['openai-organization']))
    expect(Object.keys(sent ?? {})).not.toEqual(expect.arrayContaining(['x-session-id']))
  }
})

describe('P-5 what a template or a stored answer of the provider says need not be in the body', () => {
  test.each([
    ['responses', '{"prompt": {"id":"pmpt_1","variables":{"b":1, "a":2}}}'],
    ['responses', '{ }'],
    ['responses', '{"model":"gpt-1","stream":false}'],
    ['responses/compact', '{"model" : "gpt-1"}'],
    ['responses/input_tokens', '{"previous_response_id":"resp_1"}'],
  ])('/%s %s goes to the upstream that keeps it, byte for byte', async (path, body) => {
    await posted(`${open.url}/v1/${path}`, body)
    expect(upstream.requests.map((sent) => [sent.path, sent.body.toString()])).toEqual([[`/v1/${path}`, body]])
  })

  test('the ledger has the answer under no name, at the upstream that gave it', async () => {
    const answer = await posted(`${open.url}/v1/responses`, { prompt: { id: 'pmpt_1' } })
    expect(await rowOf(open.url, answer)).toMatchObject({ upstream: 'oa', model: '', status: 200, usage: { read: 16 } })
  })

  test("the upstream's own refusal comes back", async () => {
    const refusal = { error: { message: 'no model', type: 'invalid_request_error', param: 'model', code: null } }
    upstream.answer = (_, response) => sendJson(response, refusal, 400)
    const answer = await post(`${open.url}/v1/responses`, '{}')
    expect([answer.status, JSON.parse(answer.text)]).toEqual([400, refusal])
  })

  test('where nobody keeps anything, the field that is missing is named', async () => {
    const only = [{ name: 'an', url: upstream.url, settings: 'kind: anthropic, api_key: k' }]
    const gateway = await startGateway(only, { engine: true })
    try {
      const bodies = [
        ['{"input":"x"}', '/model'],
        ['{"model":"claude-1"}', '/input'],
        ['{"model":"demo"}', '/input'],
      ] as const
      for (const [body, param] of bodies) {
        const { status, text } = await post(`${gateway.url}/v1/responses`, body)
        const { error } = JSON.parse(text) as { error: unknown } // the shape of OpenAI
        expect([status, error], body).toMatchObject([400, { code: 'missing_field', param }])
      }
      expect(upstream.requests).toEqual([])
    } finally {
      await gateway.stop()
    }
  })
})

/** Sends a path as it stands: `fetch` resolves dots before it sends. */
async function statusOf(server: ServerProcess, method: string, path: string): Promise<number> {
  const headers = server === shared ? { authorization: `Bearer ${acme}` } : {}
  return new Promise((resolve, reject) => {
    const sent = send(`${server.url}/`, { method, path: `/v1/responses/${path}`, headers }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end()
  })
}
