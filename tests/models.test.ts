import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { sendJson, startRecordingUpstream } from './support/recording-upstream.ts'

const version = { 'anthropic-version': '2023-06-01' }
const dated = 'claude-opus-4-5-20251101'

let claude: RecordingUpstream
let gpt: RecordingUpstream
let gateway: ServerProcess

beforeAll(async () => {
  claude = await startRecordingUpstream()
  gpt = await startRecordingUpstream()
  gateway = await startGateway(
    [
      { name: 'an', url: claude.url, settings: 'kind: anthropic, api_key: k-an, models: ["claude-*"]' },
      { name: 'oa', url: gpt.url, settings: 'kind: openai, api_key: k-oa' },
    ],
    { engine: true },
  )
})
beforeEach(() => {
  claude.requests.length = 0
  gpt.requests.length = 0
  claude.answer = ({ path }, response) => {
    if (path.startsWith('/v1/models?')) sendJson(response, { data: [{ type: 'model', id: dated }] })
    else if (path === '/v1/models/claude-opus-4-5') sendJson(response, { type: 'model', id: dated })
    else sendJson(response, { type: 'error', error: { type: 'not_found_error', message: 'none' } }, 404)
  }
  gpt.answer = ({ path }, response) => {
    if (path === '/v1/models') sendJson(response, { object: 'list', data: [{ id: 'gpt-1' }] })
    else if (path.startsWith('/v1/models/ft')) sendJson(response, { id: 'ft:gpt-1:acme', object: 'model' })
    else sendJson(response, { error: { message: 'none' } }, 404)
  }
})
afterAll(async () => {
  await gateway?.stop()
  await Promise.all([claude?.close(), gpt?.close()])
})

test('a name that no list has is asked for where it is claimed, by the credential of that upstream', async () => {
  expect(await find('claude-opus-4-5', version)).toMatchObject([200, { type: 'model', id: dated }])
  const asked = claude.requests.find(({ path }) => path === '/v1/models/claude-opus-4-5')
  expect(asked?.headers).toMatchObject({ 'x-api-key': 'k-an', 'anthropic-version': '2023-06-01' })
  expect(await find('ft:gpt-1:acme')).toMatchObject([200, { object: 'model', id: 'ft:gpt-1:acme', owned_by: 'oa' }])
  expect(claude.requests.map(({ path }) => path)).not.toContain('/v1/models/ft%3Agpt-1%3Aacme')
  const sent = gpt.requests.find(({ path }) => path === '/v1/models/ft%3Agpt-1%3Aacme')
  expect(sent?.headers['authorization']).toBe('Bearer k-oa')
})

test('what is listed, or served here, is not asked for again', async () => {
  await find('gpt-1')
  claude.requests.length = 0
  gpt.requests.length = 0
  for (const id of [dated, 'gpt-1', 'demo']) expect(await find(id)).toMatchObject([200, { id }])
  expect([...claude.requests, ...gpt.requests].filter(({ path }) => path.startsWith('/v1/models/'))).toEqual([])
})

test('a name with dots for a part of a path leaves for nowhere', async () => {
  for (const id of ['..%2Ffiles', 'a%2F..%2F..%2Ffiles', '%2e%2e%2Ffiles']) {
    expect(await find(id), id).toMatchObject([404, { error: { code: 'model_not_found' } }])
  }
  expect(gpt.requests.filter(({ path }) => path !== '/v1/models')).toEqual([])
})

test('a broken answer about a model is no model', async () => {
  gpt.answer = (_, response) => void response.end('{"id":')
  expect(await find('gpt-of-nobody')).toMatchObject([404, { error: { code: 'model_not_found' } }])
})

test('errors on paths that both SDKs use leave in the shape of whoever asks', async () => {
  const anthropic = { type: 'error', error: { type: 'not_found_error', message: expect.any(String) } }
  expect(await find('claude-of-nobody', version)).toMatchObject([404, anthropic])
  expect(await find('claude-of-nobody')).toMatchObject([404, { error: { code: 'model_not_found' } }])
  for (const path of ['/v1/complete', '/v1/files', '/v1/skills?beta=true']) {
    expect(await ask(path, version), path).toMatchObject([404, anthropic])
    expect(await ask(path), path).toMatchObject([404, { error: { code: 'unknown_route' } }])
  }
})

test('what several have is listed as whose it is when it is asked for', async () => {
  const models =
    '{ name: a, path: builtin:demo, aliases: ["fast-*"] }, { name: b, path: builtin:demo, aliases: [fast-1, mine] }'
  const settings = 'kind: openai, api_key: k, models: [a, mine]'
  const served = await startGateway(
    [
      { name: 'first', url: gpt.url, settings },
      { name: 'second', url: gpt.url, settings },
    ],
    { engine: true, config: `engine: { models: [${models}] }\n` },
  )
  try {
    const get = async (path: string): Promise<unknown> => (await fetch(`${served.url}/v1/models${path}`)).json()
    const { data } = (await get('')) as { data: readonly Listed[] }
    expect(data.map(({ id, owned_by, incipit }) => [id, owned_by, incipit?.served_by])).toEqual([
      ['a', 'engine', 'a'],
      ['b', 'engine', 'b'],
      ['mine', 'first', undefined],
      ['fast-1', 'engine', 'a'],
    ])
    for (const model of data) expect(await get(`/${model.id}`)).toEqual(model)
  } finally {
    await served.stop()
  }
})

interface Listed {
  readonly id: string
  readonly owned_by: string
  readonly incipit?: { readonly served_by: string }
}

const find = (id: string, headers: Readonly<Record<string, string>> = {}): Promise<[number, unknown]> =>
  ask(`/v1/models/${id}`, headers)

async function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<[number, unknown]> {
  const answer = await fetch(`${gateway.url}${path}`, { headers })
  return [answer.status, await answer.json()]
}
