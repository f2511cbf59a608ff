import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { post } from './support/ledger.ts'

let gateway: ServerProcess
const admin = { authorization: 'Bearer key-of-the-admin' }
const member = { authorization: 'Bearer key-of-a-member' }

beforeAll(async () => {
  const settings = 'kind: openai-compatible, provider: gemini'
  const config = `keys:
  - { key: key-of-the-admin, org: ops, name: ops, role: admin }
  - { key: key-of-a-member, org: acme, name: web }`
  gateway = await startGateway([{ name: 'google', url: 'http://127.0.0.1:9', settings }], { config })
})
afterAll(() => gateway.stop())

const booking = {
  name: 'cachedContents/handbook',
  upstream: 'google',
  model: 'gemini-3.8-flash',
  tokens: 100_000,
  since: '2026-11-02T22:00:00Z',
  until: '2026-11-03T01:00:00+00:00',
  org: 'acme',
}

test('D-44 storage that a provider bills is booked once, by an admin, and is a cost of its organisation', async () => {
  for (let time = 0; time < 2; time++) {
    const answer = await book(booking)
    expect(answer.status).toBe(200)
    const { data } = (await answer.json()) as { data: unknown[] }
    expect(data).toMatchObject([
      { kind: 'storage', usage: { storage: 200_000, fresh: null }, cost_usd: 0.1, saved_usd: -0.1, provider: 'gemini' },
      { kind: 'storage', usage: { storage: 100_000 }, cost_usd: 0.05, upstream: 'google', input_tokens: null },
    ])
  }
  const listed = async (): Promise<{ kind: string }[]> => {
    const answer = await fetch(`${gateway.url}/v1/events`, { headers: member })
    return ((await answer.json()) as { data: { kind: string }[] }).data
  }
  await expect.poll(async () => (await listed()).map(({ kind }) => kind)).toEqual(['storage', 'storage'])
  expect((await book(booking, member)).status).toBe(403)
})

test.each([
  [{ until: '2026-11-02T21:00:00Z' }, '/until must be later than since'],
  [{ until: '2999-01-01T00:00:00Z' }, '/until must not lie in the future'],
  [{ since: '2020-01-01T00:00:00Z' }, 'days before until, 366 are allowed'],
  [{ since: 'yesterday' }, '/since must be an ISO 8601 time'],
  [{ tokens: 0 }, '/tokens must be at least 1'],
  [{ tokens: 1.5 }, '/tokens must be of the type int'],
  [{ upstream: 'other' }, '/upstream "other" is none of the configuration'],
  [{ upstream: undefined }, '/provider or upstream has to say'],
  [{ rate: 1 }, 'has no field "rate"'],
])('a booking with %j is refused in plain words', async (fields, words) => {
  const answer = await book({ ...booking, ...fields })
  expect(answer.status).toBe(400)
  expect(await answer.text()).toContain(words.replaceAll('"', '\\"'))
})

async function book(body: object, headers = admin): Promise<Response> {
  return post(`${gateway.url}/v1/storage`, body, { headers })
}
