import { startEmulator } from 'incipit/emulate'
import type { Emulator, EmulatorOptions } from 'incipit/emulate'
import { afterEach, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { Row } from './support/ledger.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { startRecordingUpstream } from './support/recording-upstream.ts'

const minutes = 60_000
const open: { stop?: () => Promise<void>; close?: () => Promise<void> }[] = []

afterEach(async () => {
  for (const { stop, close } of open.splice(0).toReversed()) await (stop ?? close)?.()
})

describe('D-30', () => {
  test('D-30 a session stays with the replica that holds its one-hour prefix after 5, 10 and 59 minutes', async () => {
    const emulators = [await anEmulator(), await anEmulator()]
    const gateway = await aGateway(
      `kind: anthropic, api_key: k, replicas: [${emulators.map(({ url }) => `"${url}"`).join(', ')}]`,
      ['--test-clock'],
    )
    const sessions = Array.from({ length: 20 }, (_, index) => `session ${index}`)
    const homes = new Map<string, string | null>()
    for (const session of sessions) {
      const row = await turn(gateway, session, 1)
      expect(row.usage['write_1h']).toBeGreaterThan(500)
      homes.set(session, row.replica)
    }
    // Both replicas have sessions of their own, so that going astray would be seen.
    expect(new Set(homes.values()).size).toBe(2)
    for (const [index, wait] of [5, 10, 59].entries()) {
      for (const emulator of emulators) emulator.advance(wait * minutes)
      await post(`${gateway.url}/admin/clock`, { advance_ms: wait * minutes })
      for (const session of sessions) {
        const row = await turn(gateway, session, index + 2)
        expect(row.replica).toBe(homes.get(session))
        expect(row.usage['read']).toBeGreaterThan(500)
      }
    }
  })

  test('D-30 a session stays with the key under which its one-hour prefix is stored', async () => {
    const emulator = await anEmulator({ keys: { 'key-1': { org: 'a' }, 'key-2': { org: 'b' } } })
    const gateway = await aGateway(`kind: anthropic, api_keys: [key-1, key-2], base_url: "${emulator.url}"`, [
      '--test-clock',
    ])
    const sessions = Array.from({ length: 20 }, (_, index) => `session ${index}`)
    for (const session of sessions) await turn(gateway, session, 1)
    expect(new Set(emulator.requests().map(({ headers }) => headers['x-api-key']))).toEqual(new Set(['key-1', 'key-2']))
    for (const [index, wait] of [5, 10, 59].entries()) {
      emulator.advance(wait * minutes)
      await post(`${gateway.url}/admin/clock`, { advance_ms: wait * minutes })
      for (const session of sessions) {
        expect((await turn(gateway, session, index + 2)).usage['read']).toBeGreaterThan(500)
      }
    }
  })
})

test('D-31 with two keys of separate caches the hit rate is within a point of that with one key', async () => {
  const keys = { 'key-1': { org: 'a' }, 'key-2': { org: 'b' } }
  const rates: number[] = []
  for (const configured of ['api_key: key-1', 'api_keys: [key-1, key-2]']) {
    const emulator = await anEmulator({ keys })
    const gateway = await aGateway(`kind: anthropic, ${configured}, base_url: "${emulator.url}"`)
    let [read, input] = [0, 0]
    for (let session = 0; session < 16; session++) {
      for (let number = 1; number <= 30; number++) {
        const { usage, input_tokens: tokens } = await turn(gateway, `session ${session}`, number, 'shared')
        read += usage['read'] ?? 0
        input += Number(tokens)
      }
    }
    const used = new Set(emulator.requests().map(({ headers }) => headers['x-api-key']))
    expect(used.size).toBe(configured.startsWith('api_keys') ? 2 : 1)
    rates.push((100 * read) / input)
  }
  const [single = 0, double = 0] = rates
  expect(single).toBeGreaterThan(80)
  expect(Math.abs(single - double)).toBeLessThan(1)
})

describe('D-32', () => {
  const kinds = [
    { name: 'chat', kind: 'kind: openai, api_key: k', path: '/v1/chat/completions', body: chatBody },
    { name: 'messages', kind: 'kind: anthropic, api_key: k', path: '/v1/messages', body: chatBody },
    {
      name: 'responses',
      kind: 'kind: openai, api_key: k',
      path: '/v1/responses',
      body: (opening: string, turns: number) => ({ model: 'm', input: chatBody(opening, turns).messages }),
    },
    {
      name: 'workers-ai',
      kind: 'kind: workers-ai, api_key: k',
      path: '/client/v4/accounts/acc/ai/run/@cf/zai-org/glm-4.7-flash',
      body: (opening: string, turns: number) => ({ messages: chatBody(opening, turns).messages }),
    },
    {
      name: 'chat of workers-ai',
      kind: 'kind: workers-ai, api_key: k',
      path: '/client/v4/accounts/acc/ai/v1/chat/completions',
      body: chatBody,
    },
    { name: 'messages, translated', kind: 'kind: openai, api_key: k', path: '/v1/messages', body: chatBody },
  ]

  test.each(kinds)(
    'D-32 each session of $name keeps its replica, by whatever names it, and sessions are spread',
    async (kind) => {
      const upstreams = [await aRecording(), await aRecording()]
      const gateway = await aGateway(`${kind.kind}, replicas: [${upstreams.map(({ url }) => `"${url}"`).join(', ')}]`)
      const namings: readonly ((id: string) => { headers?: Record<string, string>; body?: object })[] = [
        (id) => ({ headers: { 'x-session-affinity': id } }),
        (id) => ({ headers: { session_id: id } }),
        (id) => ({ headers: { 'x-claude-code-session-id': id } }),
        (id) => ({ body: { prompt_cache_key: id } }),
        // By nothing but how the conversation begins.
        () => ({}),
      ]
      for (const [index, naming] of namings.entries()) {
        const replicas = new Set<string>()
        for (let session = 0; session < 24; session++) {
          const id = `${index} and ${session}`
          const { headers = {}, body = {} } = naming(id)
          const seen = new Set<string>()
          for (let turns = 1; turns <= 2; turns++) {
            // A session that is named keeps its replica also when its opening changes, as after compaction.
            const opening = index === namings.length - 1 ? `opening ${id}` : `opening ${id} ${turns}`
            const answer = await post(gateway.url + kind.path, { ...kind.body(opening, turns), ...body }, { headers })
            expect(answer.status).toBe(200)
            await answer.arrayBuffer()
            seen.add(answer.headers.get('x-incipit-route') ?? '')
          }
          expect([...seen]).toHaveLength(1)
          for (const route of seen) replicas.add(route)
        }
        expect(replicas.size).toBe(2)
      }
      expect(upstreams.map(({ requests }) => requests.length).reduce((sum, count) => sum + count)).toBe(240)
    },
  )
})

/** One turn of a growing conversation with one-hour marks, as the ledger has it; its system prompt begins with `opening`. */
async function turn(gateway: ServerProcess, session: string, number: number, opening = session): Promise<Row> {
  const mark = { cache_control: { type: 'ephemeral', ttl: '1h' } }
  const turns = Array.from({ length: number * 2 - 1 }, (_, index) => {
    const text = `${session}, message ${index}: ${'what was said '.repeat(12)}`
    const last = index === number * 2 - 2
    return { role: index % 2 === 0 ? 'user' : 'assistant', content: [{ type: 'text', text, ...(last ? mark : {}) }] }
  })
  const body = {
    model: 'claude-opus-5',
    max_tokens: 16,
    system: [{ type: 'text', text: `${opening}: ${'the rules of the house '.repeat(100)}`, ...mark }],
    messages: turns,
  }
  const answer = await post(`${gateway.url}/v1/messages`, body, { headers: { 'x-session-affinity': session } })
  const text = await answer.text()
  expect([answer.status, text]).toEqual([200, text])
  return rowOf(gateway.url, idOf(answer))
}

function chatBody(opening: string, turns: number) {
  const messages = Array.from({ length: turns * 2 - 1 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: index === 0 ? opening : `message ${index}`,
  }))
  return { model: 'm', max_tokens: 8, messages }
}

async function anEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ kind: 'anthropic', options })
  open.push(emulator)
  return emulator
}

async function aRecording(): Promise<RecordingUpstream> {
  const upstream = await startRecordingUpstream()
  open.push(upstream)
  return upstream
}

async function aGateway(settings: string, flags: readonly string[] = []): Promise<ServerProcess> {
  const gateway = await startGateway([{ name: 'up', settings }], { flags })
  open.push(gateway)
  return gateway
}
