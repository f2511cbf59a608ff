import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { pinParameters } from '../packages/gateway/src/control/pins.ts'
import { post } from './support/ledger.ts'

const [acme, bolt, admin] = ['key-of-acme-web-0001', 'key-of-bolt-web-0001', 'key-of-root-ops-0001']
const config = `
engine:
  ram_bytes: 64MiB
  disk_bytes: 0
  models:
    - { name: claude, path: "builtin:demo", context_tokens: 8192, aliases: ["claude-*"], rules: anthropic }
    - { name: other, path: "builtin:demo", context_tokens: 8192 }
upstreams: []
keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: ${bolt}, org: bolt, name: web-b, role: member }
  - { key: ${admin}, org: root, name: ops, role: admin }
`
const story = 'The harbour lights went out one by one while the keeper counted ships. '.repeat(60)

interface Pin {
  readonly id: string
  readonly model: string
  readonly org: string | null
  readonly tokens: number
  readonly ttl_ms: number
  readonly pinned_at: string
  readonly expires_at: string
  readonly expires_in_ms: number
  readonly reads: number
}

interface PinList {
  readonly total: number
  readonly truncated: boolean
  readonly data: readonly Pin[]
}

let gateway: ServerProcess
beforeAll(async () => {
  gateway = await startServerProcess({ config, flags: ['--test-clock'] })
  await pin(acme, 'acme', '1h')
  await pin(bolt, 'bolt', '5m')
})
afterAll(() => gateway.stop())

async function pin(key: string, start: string, ttl: string): Promise<void> {
  const system = [{ type: 'text', text: start + story, cache_control: { type: 'ephemeral', ttl } }]
  const body = { model: 'claude-x', max_tokens: 2, system, messages: [{ role: 'user', content: 'Hello' }] }
  const headers = { authorization: `Bearer ${key}`, 'anthropic-version': '2023-06-01' }
  const answer = await post(`${gateway.url}/v1/messages`, body, { headers })
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)])
}

function call(method: string, path: string, key: string): Promise<Response> {
  return fetch(gateway.url + path, { method, headers: { authorization: `Bearer ${key}` } })
}

async function pins(query: string, key: string): Promise<PinList> {
  const answer = await call('GET', `/v1/pins${query}`, key)
  expect(answer.status).toBe(200)
  return (await answer.json()) as PinList
}

test('P-1 P-6 a member sees the pins of its own organisation, an admin all, those that expire first come first', async () => {
  // Organisations are known by what the ledger has of them.
  await expect
    .poll(async () => (await pins('', admin)).data.map(({ org, model, ttl_ms }) => [org, model, ttl_ms]))
    .toEqual([
      ['bolt', 'claude', 300_000],
      ['acme', 'claude', 3_600_000],
    ])
  const all = await pins('', admin)
  expect(await pins('', acme)).toEqual({
    ...all,
    total: 1,
    data: [{ ...all.data[1], expires_in_ms: expect.any(Number) }],
  })
  expect((await pins('?org=bolt', admin)).data.map(({ id }) => id)).toEqual([all.data[0]?.id])
  expect((await pins('?model=other', admin)).total).toBe(0)
  expect(await pins('?limit=1', admin)).toMatchObject({ total: 2, truncated: true, data: [{ org: 'bolt' }] })
  expect(JSON.stringify(all)).not.toMatch(/harbour|[0-9a-f]{32}/)
  for (const org of ['acme', 'nobody']) expect((await call('GET', `/v1/pins?org=${org}`, bolt)).status).toBe(403)
})

test('P-1 a request that begins with it reads it, and the life that is left goes by the clock', async () => {
  const before = await pinOfAcme()
  await fetch(`${gateway.url}/admin/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    body: '{"advance_ms":60000}',
  })
  const waited = await pinOfAcme()
  expect(before.expires_in_ms - waited.expires_in_ms).toBeGreaterThanOrEqual(60_000)
  await pin(acme, 'acme', '1h')
  const read = await pinOfAcme()
  expect([read.id, read.reads, read.pinned_at]).toEqual([before.id, before.reads + 1, before.pinned_at])
  expect(Date.parse(read.expires_at)).toBeGreaterThan(Date.parse(before.expires_at))
})

async function pinOfAcme(): Promise<Pin> {
  const [one] = (await pins('', acme)).data
  if (one === undefined) throw new Error('acme has no pin')
  return one
}

test('what is pinned is counted for the admin and on /metrics', async () => {
  const tokens = (await pins('?model=claude', admin)).data.reduce((sum, one) => sum + one.tokens, 0)
  const engine = (await (await call('GET', '/v1/engine', admin)).json()) as {
    readonly models: readonly { readonly pins: { readonly count: number; readonly tokens: number } }[]
  }
  const [claude] = engine.models
  expect(claude?.pins.count).toBe(2)
  expect(claude?.pins.tokens).toBeLessThanOrEqual(tokens)
  expect(claude?.pins.tokens).toBeGreaterThan(tokens - 2 * 64)
  const metrics = await (await call('GET', '/metrics', admin)).text()
  expect(metrics).toContain('incipit_engine_pins{model="claude"} 2')
  expect(metrics).toContain(`incipit_engine_pinned_tokens{model="claude"} ${claude?.pins.tokens}`)
  expect(metrics).toContain('incipit_engine_pins_dropped_total{model="claude"} 0')
})

test('P-6 a pin can be taken away, by its own organisation or an admin; what it kept stays cached', async () => {
  const [ofBolt, ofAcme] = (await pins('', admin)).data
  const foreign = await call('DELETE', `/v1/pins/${ofAcme?.id}`, bolt)
  expect([foreign.status, await foreign.text()]).toEqual([404, expect.stringContaining('no pin with this id')])
  const own = await call('DELETE', `/v1/pins/${ofAcme?.id}`, acme)
  expect(await own.json()).toEqual({ object: 'pin', id: ofAcme?.id, deleted: true })
  expect((await call('DELETE', `/v1/pins/${ofAcme?.id}`, acme)).status).toBe(404)
  expect((await call('DELETE', `/v1/pins/${ofBolt?.id}`, admin)).status).toBe(200)
  expect((await pins('', admin)).total).toBe(0)
  const kept = await call('GET', '/v1/prefixes?source=engine&org=acme', admin)
  expect(((await kept.json()) as { readonly total: number }).total).toBeGreaterThan(0)
})

test.each([
  ['?model=nothing', 404, 'model \\"nothing\\" is not served here'],
  ['?limit=0', 400, 'allowed are 1 to 1000'],
  ['?tier=hot', 400, 'there is no parameter \\"tier\\"'],
])('%s is refused with %i', async (query, status, message) => {
  const answer = await call('GET', `/v1/pins${query}`, admin)
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(message)])
})

test('without a key nothing is told, and a gateway without an engine says that it has none', async () => {
  expect((await fetch(`${gateway.url}/v1/pins`)).status).toBe(401)
  const bare = await startServerProcess({ config: 'engine: { enabled: false }\nupstreams: []\n' })
  const answers = await Promise.all([
    fetch(`${bare.url}/v1/pins`),
    fetch(`${bare.url}/v1/pins/pin_1`, { method: 'DELETE' }),
  ])
  expect(answers.map(({ status }) => status)).toEqual([503, 503])
  await bare.stop()
})

test('every field and parameter of pins is documented, and no other', async () => {
  const page = readFileSync(new URL('../docs/api/engine.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf('## Pins'), page.indexOf('## Reset'))
  const [parameters = [], fields = []] = ['parameter', 'field'].map((head) => {
    const table = section.slice(section.indexOf(`| ${head} `)).split('\n\n')[0] ?? ''
    return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
  })
  expect(parameters).toEqual([...pinParameters])
  await pin(acme, 'acme', '5m')
  expect(fields).toEqual(Object.keys((await pins('', acme)).data[0] ?? {}))
})
