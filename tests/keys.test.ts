import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { adminLine, aKey, ask, chat, chatStatus } from './support/keys.ts'
import { aSharedStore } from './support/shared-store.ts'
import type { Providers } from './support/providers.ts'
import { startProviders } from './support/providers.ts'

const config = `keys:
${adminLine}
  - { key: key-of-the-file, org: acme, name: file, scopes: { models: ['gpt-*'] }, limits: { rpm: 1000 } }
  - { key: key-that-ended, org: acme, name: ended, expires: 2020-01-01 }
`
let providers: Providers
let gateway: ServerProcess

beforeAll(async () => {
  providers = await startProviders({ config, engine: false })
  gateway = providers.gateway
})
afterAll(() => providers.stop())

test('a key is made by an admin, shown once, and works at once in every way a key can be sent', async () => {
  const made = await aKey(gateway, { name: 'every-way', metadata: { team: 'web' } })
  expect(made).toMatchObject({ object: 'key', org: 'acme', role: 'member', metadata: { team: 'web' }, source: 'api' })
  expect(made.key).toMatch(/^inc_[0-9A-Za-z]{49}$/)
  const body = { model: 'gpt-5.4', messages: [{ role: 'user', content: 'hello' }] }
  const ways: readonly [string, Record<string, string>][] = [
    ['', { authorization: `Bearer ${made.key}` }],
    ['', { 'x-api-key': made.key }],
    ['', { 'x-goog-api-key': made.key }],
    ['', { 'x-incipit-key': made.key }],
    [`?key=${made.key}`, {}],
  ]
  for (const [query, headers] of ways) {
    expect((await ask(gateway, `/v1/chat/completions${query}`, { key: '', body, headers })).status).toBe(200)
  }
  const shown = await ask(gateway, `/v1/keys/${made.id}`)
  expect(shown.json['last_used_at']).not.toBeNull()
  expect(shown.text).not.toContain(made.key)
  expect((await ask(gateway, '/v1/keys')).text).not.toContain(made.key)
  const { json } = await ask(gateway, '/v1/events?key=every-way')
  expect(json['data']).toHaveLength(5)
  // Nor does it lie in the store, or leave with a request.
  expect(readFileSync(join(gateway.dataDir, 'keys.db'), 'latin1')).not.toContain(made.key)
  expect(JSON.stringify(providers.openai.requests().map(({ headers }) => headers))).not.toContain(made.key)
  expect(gateway.output()).not.toContain(made.key)
})

test('keys of the file stand beside the others in the list, and are not changed here', async () => {
  await aKey(gateway, { name: 'listed' })
  const { json } = await ask(gateway, '/v1/keys?limit=1000')
  const rows = json['data'] as readonly Record<string, unknown>[]
  expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(['admin', 'file', 'ended', 'listed']))
  expect(rows.find(({ name }) => name === 'file')).toMatchObject({ id: 'config:file', source: 'config' })
  const patched = await ask(gateway, '/v1/keys/config:file', { method: 'PATCH', body: { disabled: true } })
  expect([patched.status, patched.text]).toEqual([409, expect.stringContaining('configuration')])
  const page = await ask(gateway, '/v1/keys?limit=2')
  const rest = await ask(gateway, `/v1/keys?limit=1000&after=${String(page.json['next_after'])}`)
  expect([...(page.json['data'] as unknown[]), ...(rest.json['data'] as unknown[])]).toHaveLength(rows.length)
})

test('every change is in effect with its answer: disable, enable, expire, rotate, revoke', async () => {
  const { id, key } = await aKey(gateway)
  const patch = (body: object): Promise<unknown> => ask(gateway, `/v1/keys/${id}`, { method: 'PATCH', body })
  const refusal = async (secret: string): Promise<unknown> => {
    const { status, json } = await chat(gateway, secret)
    return [status, (json['error'] as { code?: string } | undefined)?.code]
  }
  expect(await chatStatus(gateway, key)).toBe(200)
  await patch({ disabled: true })
  expect(await refusal(key)).toEqual([401, 'disabled_key'])
  await patch({ disabled: false, expires_at: '2020-01-01' })
  expect(await refusal(key)).toEqual([401, 'expired_key'])
  await patch({ expires_at: null })
  const rotated = await ask(gateway, `/v1/keys/${id}/rotate`, { body: {} })
  expect(await refusal(key)).toEqual([401, 'invalid_api_key'])
  const second = String(rotated.json['key'])
  expect(await chatStatus(gateway, second)).toBe(200)
  const again = await ask(gateway, `/v1/keys/${id}/rotate`, { body: { grace_seconds: 3600 } })
  const third = String(again.json['key'])
  expect([await chatStatus(gateway, second), await chatStatus(gateway, third)]).toEqual([200, 200])
  expect((await ask(gateway, `/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(200)
  expect([await refusal(second), await refusal(third)]).toEqual([
    [401, 'invalid_api_key'],
    [401, 'invalid_api_key'],
  ])
  expect((await ask(gateway, `/v1/keys/${id}`)).status).toBe(404)
})

test('what is wrong with a key is said clearly, in the dialect, and tells nothing of other keys', async () => {
  const { key } = await aKey(gateway)
  const typo = `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`
  expect((await chat(gateway, typo)).text).toContain('mistyped')
  const unknown = `inc_${'0'.repeat(49)}`
  expect((await chat(gateway, unknown)).status).toBe(401)
  const ended = await chat(gateway, 'key-that-ended')
  expect([ended.status, ended.text]).toEqual([401, expect.stringContaining('expired at 2020-01-01')])
  const anthropic = await ask(gateway, '/v1/messages', { key: 'nobody', body: {} })
  expect(anthropic.json).toMatchObject({ type: 'error', error: { type: 'authentication_error' } })
  const workers = await ask(gateway, '/client/v4/accounts/a/ai/run/m', { key: 'nobody', body: {} })
  expect(workers.json).toMatchObject({ success: false, errors: [{ code: 10000 }] })
})

test('scopes: models, upstreams and endpoints beyond them are refused, and models not listed', async () => {
  const models = await aKey(gateway, { scopes: { models: ['claude-*'] } })
  const refused = await chat(gateway, models.key)
  expect([refused.status, refused.json]).toEqual([
    403,
    { error: expect.objectContaining({ code: 'out_of_scope', param: '/model', type: 'permission_error' }) },
  ])
  expect(await chatStatus(gateway, models.key, 'claude-opus-5')).toBe(200)
  const listed = (await ask(gateway, '/v1/models', { key: models.key })).json['data'] as { id: string }[]
  expect(listed.length).toBeGreaterThan(0)
  expect(listed.filter(({ id }) => !id.startsWith('claude-'))).toEqual([])

  const upstreams = await aKey(gateway, { scopes: { upstreams: ['anthropic'] } })
  expect(await chatStatus(gateway, upstreams.key, 'claude-opus-5')).toBe(200)
  expect(await chatStatus(gateway, upstreams.key, 'gpt-5.4')).toBe(403)
  expect(await chatStatus(gateway, upstreams.key, 'nobody-serves-this')).toBe(404)

  const data = await aKey(gateway, { scopes: { endpoints: ['data'] }, role: 'admin' })
  const control = await aKey(gateway, { scopes: { endpoints: ['control'] } })
  const answers = async (key: string): Promise<number[]> => [
    await chatStatus(gateway, key),
    (await ask(gateway, '/v1/events', { key })).status,
    (await ask(gateway, '/v1/models', { key })).status,
    (await ask(gateway, '/key/info', { key })).status,
  ]
  expect(await answers(data.key)).toEqual([200, 403, 200, 200])
  expect(await answers(control.key)).toEqual([403, 200, 200, 200])
})

test('M-2 a member sees the events of its organisation, an admin all; only an admin has to do with keys', async () => {
  const acme = await aKey(gateway, { org: 'seen-acme' })
  const other = await aKey(gateway, { org: 'seen-other' })
  const boss = await aKey(gateway, { org: 'seen-other', role: 'admin' })
  for (const { key } of [acme, other]) expect(await chatStatus(gateway, key)).toBe(200)
  const orgsSeenBy = async (key: string): Promise<Set<string>> => {
    const { json } = await ask(gateway, '/v1/events?limit=1000&fields=org', { key })
    return new Set((json['data'] as { org: string }[]).map(({ org }) => org))
  }
  expect(await orgsSeenBy(acme.key)).toEqual(new Set(['seen-acme']))
  expect((await orgsSeenBy(boss.key)).has('seen-acme')).toBe(true)
  const foreign = await ask(gateway, '/v1/events?org=seen-other', { key: acme.key })
  expect(foreign.status).toBe(403)
  for (const method of ['GET', 'POST']) {
    expect((await ask(gateway, '/v1/keys', { key: acme.key, method })).status).toBe(403)
  }
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    expect((await ask(gateway, `/v1/keys/${other.id}`, { key: acme.key, method })).status).toBe(403)
  }
  expect((await ask(gateway, '/v1/keys', { key: boss.key })).status).toBe(200)
})

test.each([
  [{ name: 'file' }, 409, 'already'],
  [{ name: '' }, 400, '/name'],
  [{ name: 'a\u0000b' }, 400, 'control characters'],
  [{ expires_at: '2020-01-01' }, 400, 'already'],
  [{ expires_at: 'soon' }, 400, '2027-01-31'],
  [{ limits: { rpm: -1 } }, 400, '/limits/rpm'],
  [{ limits: { usd_per_week: 5 } }, 400, 'usd_per_week'],
  [{ scopes: { models: [] } }, 400, '/scopes/models'],
  [{ scopes: { endpoints: ['all'] } }, 400, '/scopes/endpoints'],
  [{ metadata: { note: 'x'.repeat(5_000) } }, 400, '4096'],
  [{ role: 'owner' }, 400, '/role'],
  [{ colour: 'red' }, 400, 'colour'],
])('a body that cannot be used is refused with the reason: %j', async (more, status, said) => {
  const refused = await ask(gateway, '/v1/keys', { body: { name: `bad-${Math.random()}`, org: 'acme', ...more } })
  expect([refused.status, refused.text]).toEqual([status, expect.stringContaining(said)])
})

test('an open gateway stays open for this machine; its virtual keys say who is who, and only they do', async () => {
  const open = await startGateway([{ name: 'oa', url: providers.openai.url, settings: 'kind: openai, api_key: sk-u' }])
  try {
    const made = await ask(open, '/v1/keys', { key: '', body: { name: 'web', org: 'acme' } })
    const key = String(made.json['key'])
    expect(await chatStatus(open, key)).toBe(200)
    expect(await chatStatus(open, 'sk-anything')).toBe(200)
    expect(await chatStatus(open, `inc_${'0'.repeat(49)}`)).toBe(401)
    const { json } = await ask(open, '/v1/events?fields=org,key', { key: 'sk-anything' })
    expect(json['data']).toEqual([
      { org: 'local', key: null },
      { org: 'acme', key: 'web' },
    ])
    expect((await ask(open, '/v1/keys', { key })).status).toBe(403)
    expect((await ask(open, '/v1/keys', { key: '', headers: { origin: 'https://evil.example' } })).status).toBe(403)
  } finally {
    await open.stop()
  }
})

test('a gateway that is killed keeps every key that was given out, and what was revoked stays revoked', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'incipit-keys-'))
  const upstream = { name: 'oa', url: providers.openai.url, settings: 'kind: openai, api_key: sk-u' }
  const more = { config: `keys:\n${adminLine}`, dataDir }
  try {
    const first = await startGateway([upstream], more)
    const kept = await aKey(first)
    const gone = await aKey(first)
    await ask(first, `/v1/keys/${gone.id}`, { method: 'DELETE' })
    const last = await aKey(first)
    await first.kill()
    const second = await startGateway([upstream], more)
    expect(await chatStatus(second, kept.key)).toBe(200)
    expect(await chatStatus(second, last.key)).toBe(200)
    expect(await chatStatus(second, gone.key)).toBe(401)
    await second.stop()
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
})

test.each(['SQLite', 'PostgreSQL'])(
  'what one gateway does with keys, another on the same store knows within seconds (%s)',
  { timeout: 180_000 },
  async (kind) => {
    const store = await aSharedStore(kind)
    const upstream = { name: 'oa', url: providers.openai.url, settings: 'kind: openai, api_key: sk-u' }
    const start = (): Promise<ServerProcess> => {
      const { settings, dataDir } = store.forGateway()
      return startGateway([upstream], { config: `keys:\n${adminLine}\n${settings}`, dataDir })
    }
    const gateways = [await start(), await start()] as const
    const [one, other] = gateways
    try {
      const { id, key } = await aKey(one)
      expect(await chatStatus(one, key)).toBe(200)
      await expect.poll(() => chatStatus(other, key)).toBe(200)
      await ask(other, `/v1/keys/${id}`, { method: 'PATCH', body: { disabled: true } })
      expect(await chatStatus(other, key)).toBe(401)
      await expect.poll(() => chatStatus(one, key)).toBe(401)
      await ask(one, `/v1/keys/${id}`, { method: 'DELETE' })
      await expect.poll(async () => (await ask(other, `/v1/keys/${id}`)).status).toBe(404)
      expect((await ask(other, '/v1/keys', { body: { name: 'twice', org: 'acme' } })).status).toBe(201)
      expect((await ask(one, '/v1/keys', { body: { name: 'twice', org: 'acme' } })).status).toBe(409)
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()))
      await store.close()
    }
  },
)
