import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import type { EventView } from './support/prompts.ts'
import { aConversation, eventOf, uniqueText } from './support/prompts.ts'

const config = `
keys:
  - { key: key-of-acme-web-0001, org: acme, name: web, role: member }
  - { key: key-of-acme-app-0001, org: acme, name: app, role: member }
  - { key: key-of-bolt-web-0001, org: bolt, name: web-b, role: member }
  - { key: key-of-root-ops-0001, org: root, name: ops, role: admin }
engine:
  # Instances share what is on disk: here each has only what it keeps itself.
  disk_bytes: 0
  models:
    - { name: demo, path: "builtin:demo", aliases: ["@cf/*"], instances: 3 }
`
const [acmeWeb, acmeApp, bolt, admin] = [
  'key-of-acme-web-0001',
  'key-of-acme-app-0001',
  'key-of-bolt-web-0001',
  'key-of-root-ops-0001',
]

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess({ config })
})
afterAll(() => server.stop())

test('P-6 F-7 users of one organisation share a prefix, another organisation does not', async () => {
  const messages = aConversation()
  const session = { 'x-session-affinity': 'shared' }
  expect((await chat(acmeWeb, messages, session)).cached).toBe(0)
  expect((await chat(acmeApp, messages, session)).cached).toBeGreaterThan(0)
  expect((await chat(bolt, messages, session)).cached).toBe(0)
})

test('F-3 an isolation key separates, in the header and in the body alike', async () => {
  const messages = aConversation()
  const session = { 'x-session-affinity': 'isolated' }
  await chat(acmeWeb, messages, session)
  const isolated = { ...session, 'x-prompt-cache-isolation-key': 'tenant-7' }
  expect((await chat(acmeWeb, messages, isolated)).cached).toBe(0)
  expect((await chat(acmeWeb, messages, isolated)).cached).toBeGreaterThan(0)
  expect((await chat(acmeWeb, messages, session, { prompt_cache_isolation_key: 'tenant-7' })).cached).toBeGreaterThan(0)
  expect((await chat(acmeWeb, messages, session, { prompt_cache_isolation_key: 'tenant-8' })).cached).toBe(0)
  expect((await chat(bolt, messages, isolated)).cached).toBe(0)
})

test('F-3 F-4 a key beyond ASCII is the same key in header and body, and a reset by it finds both', async () => {
  const messages = aConversation()
  const session = { 'x-session-affinity': 'accents' }
  const body = { prompt_cache_isolation_key: 'clé' }
  const header = { ...session, 'x-prompt-cache-isolation-key': Buffer.from('clé').toString('latin1') }
  await chat(acmeWeb, messages, header)
  expect((await chat(acmeWeb, messages, session, body)).cached).toBeGreaterThan(0)
  await post(admin, '/v1/cache/reset', { scope: { org: 'acme', isolation_key: 'clé' } })
  expect((await chat(acmeWeb, messages, header)).cached).toBe(0)
})

test('CF-3 F-2 one session id always reaches one instance, sessions spread over instances', async () => {
  const replicas = new Map<string, Set<string>>()
  for (const round of [1, 2, 3]) {
    for (const session of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const { event } = await chat(acmeWeb, aConversation(4), { 'x-session-affinity': `ses-${session}` })
      replicas.set(session, (replicas.get(session) ?? new Set()).add(event.replica))
      expect(replicas.get(session)?.size, `round ${round}`).toBe(1)
    }
  }
  expect(new Set([...replicas.values()].flatMap((seen) => [...seen])).size).toBeGreaterThan(1)
})

test('CF-3 the instance that holds the prefix serves it warm, another one is cold', async () => {
  const messages = aConversation()
  const first = await chat(acmeWeb, messages, { 'x-session-affinity': 'ses-a' })
  expect((await chat(acmeWeb, messages, { 'x-session-affinity': 'ses-a' })).cached).toBeGreaterThan(0)
  for (let i = 0; i < 40; i++) {
    const other = await chat(acmeWeb, messages, { 'x-session-affinity': `other-${i}` })
    if (other.event.replica === first.event.replica) continue
    expect(other.cached).toBe(0)
    return
  }
  throw new Error('40 sessions all went to one instance')
})

test('F-2 the session comes from a header, the user field or the opening, and is never stored raw', async () => {
  const messages = aConversation(10)
  const byUser = await chat(acmeWeb, messages, {}, { user: 'user-4711' })
  const byHeader = await chat(acmeWeb, messages, { 'x-session-affinity': 'user-4711' })
  const byTrajectory = await chat(acmeWeb, messages, {
    'x-session-affinity': 'other',
    'x-multi-turn-session-id': 'user-4711',
  })
  const derived = await chat(acmeWeb, messages)
  const grown = await chat(acmeWeb, [
    ...messages,
    { role: 'assistant', content: 'Yes.' },
    { role: 'user', content: 'More.' },
  ])
  expect(byHeader.event.session).toBe(byUser.event.session)
  expect(byTrajectory.event.session).toBe(byUser.event.session)
  expect(derived.event.session).not.toBe(byUser.event.session)
  expect(grown.event.session).toBe(derived.event.session)
  expect(byUser.event.session).toMatch(/^ses_[0-9a-f]{32}$/)
  const listed = await fetch(`${server.url}/v1/events?session=user-4711&fields=id`, { headers: bearer(acmeWeb) })
  const ids = ((await listed.json()) as { data: { id: string }[] }).data.map((event) => event.id)
  expect(ids.sort()).toEqual([byUser, byHeader, byTrajectory].map(({ event }) => event.id).sort())
})

test('F-4 changing the session key moves traffic to another routing key', async () => {
  const messages = aConversation(10)
  const sessions = await Promise.all(
    ['before', 'after'].map(
      async (name) => (await chat(acmeWeb, messages, { 'x-session-affinity': name })).event.session,
    ),
  )
  expect(sessions[0]).not.toBe(sessions[1])
})

test("F-4 a reset drops what it selects, says how much, and is the admin's", async () => {
  const messages = aConversation()
  const session = { 'x-session-affinity': 'reset' }
  await chat(acmeWeb, messages, session)
  await chat(bolt, messages, session)
  expect((await post(acmeWeb, '/v1/cache/reset', {})).status).toBe(403)

  const answer = await post(admin, '/v1/cache/reset', { scope: { org: 'acme' } })
  expect(answer.status).toBe(200)
  expect((answer.body as { dropped: { hot_tokens: number } }).dropped.hot_tokens).toBeGreaterThan(0)
  expect((await chat(acmeWeb, messages, session)).cached).toBe(0)
  expect((await chat(bolt, messages, session)).cached).toBeGreaterThan(0)

  await post(admin, '/v1/cache/reset', {})
  expect((await chat(bolt, messages, session)).cached).toBe(0)
})

test('F-4 P-5 a snapshot resets all sessions, none, or only new ones', async () => {
  const messages = aConversation()
  const old = { 'x-session-affinity': 'snapshot-old' }
  await chat(acmeWeb, messages, old)
  await publish('none')
  expect((await chat(acmeWeb, messages, old)).cached).toBeGreaterThan(0)

  await publish('new_session')
  expect((await chat(acmeWeb, messages, old)).cached).toBeGreaterThan(0)
  expect((await chat(acmeWeb, messages, { 'x-session-affinity': 'snapshot-new' })).cached).toBe(0)

  await publish('all')
  expect((await chat(acmeWeb, messages, old)).cached).toBe(0)
  const wrong = await post(admin, '/v1/snapshots', { model: 'demo', reset_prompt_cache: 'some' })
  expect(wrong.status).toBe(400)
})

test('M-2 a member sees the events of its own organisation, an admin sees all', async () => {
  const mine = await chat(acmeWeb, aConversation(5))
  const theirs = await chat(bolt, aConversation(5))
  await expect(eventOf(server.url, theirs.event.id, bearer(acmeWeb))).rejects.toThrow('404')
  const ids = async (key: string): Promise<string[]> => {
    const answer = await fetch(`${server.url}/v1/events?fields=id,org&limit=1000`, { headers: bearer(key) })
    return ((await answer.json()) as { data: { id: string }[] }).data.map((event) => event.id)
  }
  expect(await ids(acmeWeb)).toContain(mine.event.id)
  expect(await ids(acmeWeb)).not.toContain(theirs.event.id)
  expect(await ids(admin)).toEqual(expect.arrayContaining([mine.event.id, theirs.event.id]))
  expect((await fetch(`${server.url}/v1/events?org=bolt`, { headers: bearer(acmeWeb) })).status).toBe(403)
})

test('P-10 an image takes part in the exact match, a tool definition too', async () => {
  const opening = uniqueText(150)
  const image = (byte: string) => [
    { role: 'system', content: opening },
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${byte}${'A'.repeat(400)}` } },
        { type: 'text', text: `What is this? ${opening}` },
      ],
    },
  ]
  const session = { 'x-session-affinity': 'attachments' }
  const first = await chat(acmeWeb, image('i'), session)
  const same = await chat(acmeWeb, image('i'), session)
  const other = await chat(acmeWeb, image('j'), session)
  expect(same.cached).toBe(first.prompt - 1)
  expect(other.cached).toBeGreaterThan(0)
  expect(other.cached).toBeLessThan(first.prompt * 0.7)

  const tool = (name: string) => ({
    tools: [
      {
        type: 'function',
        function: {
          name,
          description: opening,
          parameters: { type: 'object', properties: { z: { type: 'string' }, a: { type: 'number' } } },
        },
      },
    ],
  })
  const ask = [{ role: 'user', content: 'Use it.' }]
  const withTool = await chat(acmeWeb, ask, session, tool('look_up'))
  expect((await chat(acmeWeb, ask, session, tool('look_up'))).cached).toBe(withTool.prompt - 1)
  expect((await chat(acmeWeb, ask, session, tool('find_up'))).cached).toBeLessThan(withTool.prompt * 0.5)
})

async function publish(reset: string): Promise<void> {
  const answer = await post(admin, '/v1/snapshots', { model: 'demo', reset_prompt_cache: reset })
  expect(answer).toMatchObject({ status: 200, body: { model: 'demo', reset_prompt_cache: reset } })
}

async function post(key: string, path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(key) },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: await answer.json() }
}

async function chat(
  key: string,
  messages: readonly unknown[],
  headers: Record<string, string> = {},
  more: object = {},
): Promise<{ prompt: number; cached: number; event: EventView }> {
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(key), ...headers },
    body: JSON.stringify({ model: 'demo', messages, max_tokens: 2, temperature: 0, ...more }),
  })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
  const { usage } = (await answer.json()) as {
    usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } }
  }
  const event = await eventOf(server.url, answer.headers.get('x-incipit-request-id'), bearer(key))
  return { prompt: usage.prompt_tokens, cached: usage.prompt_tokens_details.cached_tokens, event }
}

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` }
}
