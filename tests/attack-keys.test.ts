import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { adminKey, adminLine, aKey, ask, chat } from './support/keys.ts'
import type { Providers } from './support/providers.ts'
import { startGateway } from './support/gateway.ts'
import { answerForEver, startProviders } from './support/providers.ts'
import { answerShortly, chatStream } from './support/recording-upstream.ts'

let providers: Providers
let gateway: ServerProcess

beforeAll(async () => {
  providers = await startProviders({ config: `keys:\n${adminLine}\n`, engine: false, flags: ['--test-clock'] })
  gateway = providers.gateway
})
afterAll(() => providers.stop())

test('whoever leaves in the middle of each answer uses up the tokens of a minute all the same', async () => {
  const { key } = await aKey(gateway, { limits: { tpm: 1_000 } })
  const left = answerForEver(providers.recorder, `${chatStream.split('\n\n')[0]}\n\n`)
  const leaving = new AbortController()
  const begun = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'gpt-recorded',
      stream: true,
      messages: [{ role: 'user', content: 'x'.repeat(3_000) }],
    }),
    signal: leaving.signal,
  })
  await begun.body?.getReader().read()
  leaving.abort()
  await left
  providers.recorder.answer = answerShortly
  const mine = async (): Promise<unknown> =>
    (await ask(gateway, '/v1/events?org=acme&status=499&fields=error_code,usage')).json['data']
  await expect.poll(mine).toMatchObject([{ error_code: 'client_closed', usage: { output: null } }])
  const next = await chat(gateway, key, { messages: [{ role: 'user', content: 'x'.repeat(3_000) }] })
  expect(next.status, next.text).toBe(429)
  expect(next.text).toContain('1000 are allowed')
})

test('whoever leaves in the middle of each answer uses up a budget all the same', async () => {
  const priced = await startGateway(
    [{ name: 'priced', url: providers.recorder.url, settings: 'kind: openai, api_key: k, models: ["gpt-5.4"]' }],
    { config: `keys:\n${adminLine}` },
  )
  try {
    const { key } = await aKey(priced, { limits: { usd_per_day: 0.001 } })
    const messages = [{ role: 'user', content: 'x'.repeat(3_000) }]
    const left = answerForEver(providers.recorder, `${chatStream.split('\n\n')[0]}\n\n`)
    const leaving = new AbortController()
    const begun = await fetch(`${priced.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5.4', stream: true, messages }),
      signal: leaving.signal,
    })
    await begun.body?.getReader().read()
    leaving.abort()
    await left
    providers.recorder.answer = answerShortly
    const again = async (): Promise<number> => (await chat(priced, key, { model: 'gpt-5.4', messages })).status
    await expect.poll(again).toBe(429)
  } finally {
    await priced.stop()
  }
})

test('an end on a day that no calendar has is refused, and not moved to a later one', async () => {
  for (const expires of ['2027-02-30', '2027-02-29T12:00:00Z', '2027-04-31', '2027-13-01', '2027-00-10']) {
    const made = await ask(gateway, '/v1/keys', { body: { org: 'acme', name: `ends ${expires}`, expires_at: expires } })
    expect([expires, made.status, made.json['error']]).toMatchObject([expires, 400, { param: '/expires_at' }])
  }
  await aKey(gateway, { expires_at: '2028-02-29' })
})

test('the test clock moves by whole milliseconds: a row is stored at none in between', async () => {
  const moved = await ask(gateway, '/admin/clock', { body: { advance_ms: 1.5 } })
  expect([moved.status, moved.json['error']]).toMatchObject([400, { param: '/advance_ms' }])
})

test('P-6 a key of the gateway that is presented beside another one goes to no provider', async () => {
  const { recorder } = providers
  const settings = 'kind: openai-compatible, credentials: client, models: ["*"], max_retries: 0'
  const config = `keys:\n${adminLine}\n  - { key: key-of-a-member, org: acme, name: member }\n`
  const server = await startGateway([{ name: 'theirs', url: recorder.url, settings }], { config })
  try {
    const { key: virtual } = await aKey(server)
    const body = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
    const send = (key: string): ReturnType<typeof ask> =>
      ask(server, '/v1/chat/completions', { key, body, headers: { 'x-incipit-key': 'key-of-a-member' } })
    recorder.requests.length = 0
    for (const ours of ['key-of-a-member', adminKey, virtual, `${virtual.slice(0, -1)}!`]) {
      expect((await send(ours)).status).toBe(401)
    }
    expect(recorder.requests).toEqual([])
    expect((await send('sk-of-a-provider')).status).toBe(200)
    expect(recorder.requests[0]?.headers.authorization).toBe('Bearer sk-of-a-provider')
  } finally {
    await server.stop()
  }
})

test('models that a request falls back to are in its scopes, too', async () => {
  const { key } = await aKey(gateway, { scopes: { models: ['gpt-*'] } })
  const statusOf = async (body: string): Promise<number> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    return (await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })).status
  }
  const start = '{"model":"gpt-recorded","messages":[{"role":"user","content":"a"}]'
  expect(await statusOf(`${start},"models":["gpt-recorded","gpt-5.4"]}`)).toBe(200)
  expect(await statusOf(`${start},"models":["gpt-recorded","claude-opus-5"]}`)).toBe(403)
  expect(await statusOf(`${start},"m\\u006fdels":["claude-opus-5"]}`)).toBe(403)
  expect(await statusOf(`${start},"models":"claude-opus-5"}`)).toBe(403)
})
