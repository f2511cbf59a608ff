import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { enginePrefixParameters } from '../packages/gateway/src/control/engine-prefixes.ts'
import { post } from './support/ledger.ts'

const [acme, bolt, admin] = ['key-of-acme-web-0001', 'key-of-bolt-web-0001', 'key-of-root-ops-0001']
const config = `
engine:
  ram_bytes: 64MiB
  models: [{ name: demo, path: "builtin:demo" }, { name: pair, path: "builtin:demo", instances: 2 }]
upstreams: []
keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: ${bolt}, org: bolt, name: web-b, role: member }
  - { key: ${admin}, org: root, name: ops, role: admin }
`
const story = 'The harbour lights went out one by one while the keeper counted ships. '.repeat(20)

interface Node {
  readonly id: string
  readonly model: string
  readonly org: string | null
  readonly tier: string
  readonly parent: number | null
  readonly depth: number
  readonly start: number
  readonly tokens: number
  readonly children: number
  readonly hits: number
  readonly age_ms: number | null
  readonly last_used: string
}

interface Tree {
  readonly total: number
  readonly truncated: boolean
  readonly tiers: Readonly<Record<string, { readonly nodes: number; readonly tokens: number }>>
  readonly data: readonly Node[]
}

const page = readFileSync(new URL('../docs/api/engine.md', import.meta.url), 'utf8')

let gateway: ServerProcess
beforeAll(async () => {
  gateway = await startServerProcess({ config })
  await chat(bolt, 'pair', 'one')
  await chat(acme, 'demo', 'one')
  await chat(acme, 'demo', 'two')
})
afterAll(() => gateway.stop())

async function chat(key: string, model: string, question: string): Promise<void> {
  const messages = [
    { role: 'system', content: story },
    { role: 'user', content: question },
  ]
  const headers = { authorization: `Bearer ${key}` }
  const response = await post(`${gateway.url}/v1/chat/completions`, { model, messages, max_tokens: 4 }, { headers })
  expect(response.status).toBe(200)
  await response.text()
}

function ask(query: string, key: string): Promise<Response> {
  return fetch(`${gateway.url}/v1/prefixes${query}`, { headers: { authorization: `Bearer ${key}` } })
}

async function tree(query: string, key: string): Promise<Tree> {
  const response = await ask(`?source=engine${query}`, key)
  expect(response.status).toBe(200)
  return (await response.json()) as Tree
}

/** Until what is expected is there: blocks are copied behind the requests. */
async function eventually(look: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await look()
    } catch (error) {
      if (tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

test('an admin sees what every tier holds, as trees with tokens, uses and ages', async () => {
  await eventually(async () => {
    const { data, truncated } = await tree('&org=acme&limit=1000', admin)
    expect(truncated).toBe(false)
    expect(new Set(data.map(({ tier }) => tier))).toEqual(new Set(['hot', 'ram', 'disk']))
    const [opening, ...below] = data.filter(({ tier }) => tier === 'hot')
    const questions = below.filter(({ depth }) => depth === 1)
    // Both questions go on from one opening, which the second one reused.
    expect(opening).toMatchObject({
      model: 'demo',
      org: 'acme',
      parent: null,
      depth: 0,
      start: 0,
      children: 2,
      hits: 1,
    })
    expect(questions).toHaveLength(2)
    for (const { parent, start, hits } of questions) {
      expect([data[parent ?? -1], start, hits]).toEqual([opening, opening?.tokens, 0])
    }
    for (const { age_ms, last_used } of data) {
      expect(age_ms).toBeGreaterThanOrEqual(0)
      expect(Date.parse(last_used)).toBeLessThanOrEqual(Date.now())
    }
  })
  const everyone = await tree('&limit=1000', admin)
  await eventually(async () => {
    const orgs = new Set((await tree('&limit=1000', admin)).data.map(({ org }) => org))
    expect(orgs).toEqual(new Set(['acme', 'bolt']))
  })
  expect(JSON.stringify(everyone)).not.toMatch(/harbour|[0-9a-f]{32}/)
})

test('a member sees its own organisation, and learns of no other', async () => {
  const { data } = await tree('&limit=1000', bolt)
  expect(new Set(data.map(({ org }) => org))).toEqual(new Set(['bolt']))
  expect(data.every(({ hits }) => hits === 0)).toBe(true)
  for (const org of ['acme', 'nobody']) expect((await ask(`?source=engine&org=${org}`, bolt)).status).toBe(403)
  expect((await ask('?source=engine&org=bolt', bolt)).status).toBe(200)
})

test('a model is selected with all its instances, and the limit leaves those used last', async () => {
  const { data } = await tree('&model=pair&limit=1000', admin)
  expect(data.length).toBeGreaterThan(0)
  for (const { model } of data) expect(model).toMatch(/^pair#[01]$/)
  const all = await tree('&limit=1000', admin)
  const some = await tree('&limit=2', admin)
  expect([some.truncated, some.data.length]).toEqual([true, 2])
  expect(some.data.map(({ last_used }) => last_used)).toEqual(all.data.slice(0, 2).map(({ last_used }) => last_used))
})

test('the order asked for decides what the limit leaves, parents first; totals are of all; ids last', async () => {
  const all = await tree('&org=acme&limit=5000', admin)
  for (const tier of ['hot', 'ram', 'disk']) {
    const nodes = all.data.filter((node) => node.tier === tier)
    const tokens = nodes.reduce((sum, node) => sum + node.tokens, 0)
    expect(all.tiers[tier]).toEqual({ nodes: nodes.length, tokens })
  }
  expect(all.total).toBe(all.data.length)
  for (const order of ['used', 'tokens', 'hits', 'age']) {
    const { data, total, truncated, tiers } = await tree(`&org=acme&limit=3&order=${order}`, admin)
    expect([data.length, total, truncated, tiers]).toEqual([3, all.total, true, all.tiers])
    for (const [place, { parent, depth }] of data.entries()) {
      expect(parent ?? -1).toBeLessThan(place)
      expect(depth).toBe(parent === null ? 0 : (data[parent]?.depth ?? 0) + 1)
    }
  }
  const ids = all.data.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  const again = await tree('&org=acme&limit=5000&order=tokens', admin)
  expect(again.data.map(({ id }) => id).sort()).toEqual([...ids].sort())
})

test.each([
  ['?source=engine&model=nothing', 404, 'model \\"nothing\\" is not served here'],
  ['?source=engine&since=-1h', 400, 'there is no parameter \\"since\\"'],
  ['?source=engine&limit=5001', 400, 'allowed are 1 to 5000'],
  ['?source=engine&order=size', 400, 'order is \\"size\\", allowed are used, tokens, hits, age'],
  ['?limit=1001', 400, 'allowed are 1 to 1000'],
  ['?source=moon', 400, 'source is \\"moon\\", allowed are ledger, engine'],
  ['?source=engine&source=ledger', 400, 'source is given 2 times'],
])('%s is refused with %i', async (query, status, message) => {
  const response = await ask(query, admin)
  expect(response.status).toBe(status)
  expect(await response.text()).toContain(message)
})

test('without a source, and with source=ledger, it is the ledger that answers', async () => {
  await eventually(async () => {
    const answers = await Promise.all(['', '?source=ledger'].map(async (query) => (await ask(query, acme)).json()))
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).toMatchObject({ object: 'list', data: [{ requests: 2 }] })
  })
})

test('a gateway without an engine says that it has none', async () => {
  const bare = await startServerProcess({ config: 'engine: { enabled: false }\nupstreams: []\n' })
  const response = await fetch(`${bare.url}/v1/prefixes?source=engine`)
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining('the engine is off')])
  await bare.stop()
})

test('every field and parameter of prefixes is documented, and no other', async () => {
  const section = page.slice(page.indexOf('## Prefixes'), page.indexOf('## Pins'))
  const [parameters = [], fields = []] = ['parameter', 'field'].map((head) => {
    const table = section.slice(section.indexOf(`| ${head} `)).split('\n\n')[0] ?? ''
    return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
  })
  expect([...parameters, 'source'].sort()).toEqual([...enginePrefixParameters].sort())
  const { data } = await tree('&limit=1', admin)
  expect(fields).toEqual(Object.keys(data[0] ?? {}))
})

test('the engine tells an admin what it uses, tier by tier, as documented', async () => {
  const askEngine = (key: string): Promise<Response> =>
    fetch(`${gateway.url}/v1/engine`, { headers: { authorization: `Bearer ${key}` } })
  expect((await askEngine(acme)).status).toBe(403)
  const engine = (await (await askEngine(admin)).json()) as { readonly models: readonly EngineModel[] }
  expect(engine.models.map(({ model }) => model)).toEqual(['demo', 'pair#0', 'pair#1'])
  const [demo, ...pair] = engine.models
  expect(demo).toMatchObject({ prefix_cache_off: null, disk: { off: null } })
  expect(demo?.hot.bytes).toBeGreaterThan(0)
  for (const { disk } of pair) expect(disk).toEqual(demo?.disk)
  const json = /"object":"engine"[^]*?\n\n/.exec(page)?.[0] ?? ''
  const shown = JSON.parse(`{${json.trim()}`) as object
  expect(shapeOf(shown)).toEqual(shapeOf({ ...engine, models: [demo] }))
})

interface EngineModel {
  readonly model: string
  readonly hot: { readonly bytes: number }
  readonly disk: object
}

/** Names of fields, at every depth. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (typeof value !== 'object' || value === null) return 'value'
  return Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)])
}
