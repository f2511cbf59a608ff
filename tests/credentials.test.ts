import { frame, toHex } from '@incipit/core'
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { post, posted, rowOf } from './support/post.ts'
import type { RecordingUpstream, SentRequest } from './support/recording-upstream.ts'
import { startRecordingUpstream, takeOne, traceOf } from './support/recording-upstream.ts'

const acme = 'key-of-acme-web-0001'
const admin = 'key-of-root-ops-0001'
const keys = `keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: ${admin}, org: root, name: ops, role: admin }
`
const configured = 'sk-configured-upstream-key'
const secret = 'a-secret-of-more-than-16-characters'

let upstream: RecordingUpstream
beforeAll(async () => {
  upstream = await startRecordingUpstream()
})
beforeEach(() => void upstream.requests.splice(0))
afterAll(() => upstream?.close())

const chat = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
const messages = { ...chat, max_tokens: 8 }

/** Everywhere that clients put a key. */
const places: readonly [
  name: string,
  query: (key: string) => string,
  headers: (key: string) => Record<string, string>,
][] = [
  ['Bearer', () => '', (key) => ({ authorization: `Bearer ${key}` })],
  ['bearer in small letters', () => '', (key) => ({ authorization: `bearer ${key}` })],
  ['x-api-key', () => '', (key) => ({ 'x-api-key': key })],
  ['api-key', () => '', (key) => ({ 'api-key': key })],
  ['x-goog-api-key', () => '', (key) => ({ 'x-goog-api-key': key })],
  ['?key=', (key) => `?key=${key}&beta=true`, () => ({})],
  ['&key=', (key) => `?beta=true&key=${key}`, () => ({})],
]

describe('keys of the gateway', () => {
  let gateway: ServerProcess
  beforeAll(async () => {
    gateway = await startGateway(
      [
        { name: 'an', url: upstream.url, settings: `kind: anthropic, api_key: ${configured}, models: ["claude-*"]` },
        { name: 'oa', url: upstream.url, settings: `kind: openai, api_key: ${configured}` },
      ],
      { config: keys, flags: ['--log-level', 'trace'] },
    )
  })
  afterAll(() => gateway?.stop())

  test.each(places)('as %s authenticate, and end at the gateway', async (_, query, headers) => {
    for (const [path, body] of [
      ['/v1/chat/completions', chat],
      ['/v1/messages', { ...messages, model: 'claude-1' }],
    ] as const) {
      const answer = await posted(`${gateway.url}${path}${query(acme)}`, body, headers(acme))
      expect(await rowOf(gateway.url, answer, { 'x-api-key': acme })).toMatchObject({ org: 'acme', key: 'web' })
      const sent = takeOne(upstream)
      expect(traceOf(sent)).not.toContain(acme)
      // What else stands in the query goes on.
      expect(sent.path).toBe(`${path}${query('') === '' ? '' : '?beta=true'}`)
      expect(credentialOf(sent)).toEqual(
        path === '/v1/messages' ? { 'x-api-key': configured } : { authorization: `Bearer ${configured}` },
      )
    }
    expect(gateway.output()).not.toContain(acme)
  })

  test('that are wrong or absent are refused before anything is sent, without being named', async () => {
    for (const [, query, headers] of places) {
      const answer = await post(
        `${gateway.url}/v1/chat/completions${query('sk-wrong-key-0001')}`,
        chat,
        headers('sk-wrong-key-0001'),
      )
      expect(answer.status).toBe(401)
      expect(answer.text).not.toContain('sk-wrong-key-0001')
    }
    expect((await post(`${gateway.url}/v1/chat/completions`, chat)).status).toBe(401)
    expect(upstream.requests).toEqual([])
    expect(gateway.output()).not.toContain('sk-wrong-key-0001')
  })
})

const mine = 'sk-ant-of-client-one-0001'
const other = 'sk-ant-of-client-two-0002'

describe('credentials of clients', () => {
  test('P-6 pass to the upstream without keys of the gateway, in the place where they came', async () => {
    await withGateway('credentials: client', '', async (gateway) => {
      await posted(`${gateway.url}/v1/messages`, messages, { 'x-api-key': mine })
      expect(credentialOf(takeOne(upstream))).toEqual({ 'x-api-key': mine })
      await posted(`${gateway.url}/v1/messages`, messages, { authorization: `Bearer ${mine}` })
      expect(credentialOf(takeOne(upstream))).toEqual({ authorization: `Bearer ${mine}` })
      await posted(`${gateway.url}/v1/messages?key=${mine}`, messages)
      const sent = takeOne(upstream)
      expect([credentialOf(sent), sent.path]).toEqual([{ 'x-api-key': mine }, '/v1/messages'])
      const none = await post(`${gateway.url}/v1/messages`, messages)
      expect([none.status, none.text.includes('missing_key')]).toEqual([401, true])
    })
  })

  test('P-6 are organisations of their own, known by a keyed hash and nothing else', async () => {
    await withGateway('credentials: client', keys, async (gateway) => {
      const answers = [
        await posted(`${gateway.url}/v1/messages`, messages, { 'x-api-key': mine }),
        await posted(`${gateway.url}/v1/messages`, messages, { authorization: `Bearer ${mine}` }),
        await posted(`${gateway.url}/v1/messages`, messages, { 'x-api-key': other }),
      ]
      expect(upstream.requests.splice(0).map(credentialOf)).toEqual([
        { 'x-api-key': mine },
        { authorization: `Bearer ${mine}` },
        { 'x-api-key': other },
      ])
      const rows = await Promise.all(answers.map((answer) => rowOf(gateway.url, answer, { 'x-api-key': admin })))
      const orgs = rows.map(({ org }) => org)
      expect(orgs).toEqual([orgOf(mine), orgOf(mine), orgOf(other)])
      expect(orgs[0]).not.toBe(orgs[2])
      expect(rows[0]?.scope).not.toBe(rows[2]?.scope)

      // A client sees its own events only.
      const seen = await fetch(`${gateway.url}/v1/events?fields=org`, { headers: { 'x-api-key': other } })
      expect(await seen.json()).toMatchObject({ data: [{ org: orgOf(other) }] })
      const all = await fetch(`${gateway.url}/v1/events?limit=100`, { headers: { 'x-api-key': admin } })
      const text = await all.text()
      for (const key of [mine, other]) {
        expect(text).not.toContain(key)
        expect(gateway.output()).not.toContain(key)
      }
    })
  })

  test('P-6 beside a key of the gateway: that says who it is, the credential who pays', async () => {
    await withGateway('credentials: client', keys, async (gateway) => {
      const both = { 'x-incipit-key': acme, 'x-api-key': mine }
      const answer = await posted(`${gateway.url}/v1/messages`, messages, both)
      const sent = takeOne(upstream)
      expect(credentialOf(sent)).toEqual({ 'x-api-key': mine })
      expect(traceOf(sent)).not.toContain(acme)
      expect(await rowOf(gateway.url, answer, { 'x-api-key': acme })).toMatchObject({ org: 'acme', key: 'web' })

      const wrong = await post(`${gateway.url}/v1/messages`, messages, { ...both, 'x-incipit-key': 'key-of-nobody' })
      expect(wrong.status).toBe(401)
      // The gateway's key alone is no credential of the upstream: it must not go there as one.
      const alone = await post(`${gateway.url}/v1/messages`, messages, { 'x-api-key': acme })
      expect([alone.status, alone.text.includes('missing_key'), alone.text.includes('x-incipit-key')]).toEqual([
        401,
        true,
        true,
      ])
      expect(upstream.requests).toEqual([])
    })
  })

  test('P-6 never reach an upstream that has a credential of its own, nor what it pays for', async () => {
    await withGateway(`api_key: ${configured}`, '', async (gateway) => {
      await posted(`${gateway.url}/v1/messages`, messages, { 'x-api-key': mine })
      const sent = takeOne(upstream)
      expect(credentialOf(sent)).toEqual({ 'x-api-key': configured })
      expect(traceOf(sent)).not.toContain(mine)
    })
    const two = [
      { name: 'own', url: upstream.url, settings: `kind: anthropic, api_key: ${configured}, models: [paid]` },
      { name: 'theirs', url: upstream.url, settings: 'kind: anthropic, credentials: client, models: [m]' },
    ]
    const gateway = await startGateway(two, { config: keys })
    try {
      const answer = await post(`${gateway.url}/v1/messages`, { ...messages, model: 'paid' }, { 'x-api-key': mine })
      expect(answer.status).toBe(404)
      expect(upstream.requests).toEqual([])
    } finally {
      await gateway.stop()
    }
  })
})

async function withGateway(
  settings: string,
  config: string,
  use: (gateway: ServerProcess) => Promise<void>,
): Promise<void> {
  const upstreams = [{ name: 'an', url: upstream.url, settings: `kind: anthropic, ${settings}` }]
  const flags = ['--log-level', 'trace']
  const gateway = await startGateway(upstreams, { config: `secret: ${secret}\n${config}`, flags })
  try {
    await use(gateway)
  } finally {
    await gateway.stop()
  }
}

/** The organisation of a credential: an HMAC under the secret, computed here once more. */
function orgOf(credential: string): string {
  const message = frame(['incipit/client-credential/1', credential])
  return `client_${toHex(createHmac('sha256', secret).update(message).digest()).slice(0, 32)}`
}

function credentialOf({ headers }: SentRequest): object {
  const names = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'x-incipit-key']
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])))
}
