import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { EventRow } from './support/post.ts'
import { posted, rowOf } from './support/post.ts'
import type { RecordingUpstream, SentRequest } from './support/recording-upstream.ts'
import { startRecordingUpstream, takeOne, traceOf } from './support/recording-upstream.ts'
import { richBodies } from './support/rich-bodies.ts'

const [acme, acmeToo, bolt] = ['key-of-acme-web-0001', 'key-of-acme-app-0001', 'key-of-bolt-web-0001']
const keys = `keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: ${acmeToo}, org: acme, name: app, role: member }
  - { key: ${bolt}, org: bolt, name: web-b, role: member }
`
const account = '/client/v4/accounts/0123abcd/ai'
/** Upstreams by the model that leads to each. */
const kinds: Readonly<Record<string, string>> = {
  fireworks: 'kind: fireworks, api_key: k',
  vllm: 'kind: vllm',
  sglang: 'kind: sglang',
  'openai-native': 'kind: openai, api_key: k, isolation: native',
  openrouter: 'kind: openrouter, api_key: k',
  salted: 'kind: openai-compatible, isolation: salt_text',
  'salted-messages': 'kind: anthropic-compatible, isolation: salt_text, affinity_header: X-Route-Key',
  'salted-responses': 'kind: openai, api_key: k, speaks: [openai-responses], isolation: salt_text',
  credential:
    'kind: openai, api_key: k, isolation: credential, org_keys: { acme: sk-of-acme, bolt: sk-of-bolt, local: sk-of-local }',
  shared: 'kind: openai, api_key: k, isolation: shared',
}

let upstream: RecordingUpstream
let gateway: ServerProcess
/** Without keys: one organisation alone. */
let open: ServerProcess

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const upstreams = [
    ...Object.entries(kinds).map(([name, settings]) => {
      return { name, url: upstream.url, settings: `${settings}, models: [${name}]` }
    }),
    { name: 'cf', url: `${upstream.url}${account}`, settings: 'kind: workers-ai, api_key: k, models: ["@cf/*"]' },
  ]
  gateway = await startGateway(upstreams, { config: keys, flags: ['--log-level', 'trace'] })
  open = await startGateway(upstreams)
})
beforeEach(() => void upstream.requests.splice(0))
afterAll(async () => {
  await Promise.all([gateway?.stop(), open?.stop()])
  await upstream?.close()
})

const sessionHeaders = [
  'x-multi-turn-session-id',
  'x-session-affinity',
  'x-claude-code-session-id',
  'session-id',
  'session_id',
  'x-session-id',
]

describe('F-2 raw ids of sessions', () => {
  test.each(sessionHeaders)('of the header %s end at the gateway: only the keyed id leaves', async (name) => {
    const raw = `raw-session-4711-${name}`
    for (const [model, header] of [
      ['fireworks', 'x-session-affinity'],
      ['openrouter', 'x-session-id'],
      ['vllm', undefined],
    ] as const) {
      const { sent, row } = await ask(model, acme, {}, { [name]: raw })
      expect(row.session).toMatch(/^ses_[0-9a-f]{32}$/)
      expect(traceOf(sent)).not.toContain(raw)
      // The one header of the kind says the keyed id, and no other of them leaves.
      const left = sessionHeaders.flatMap((other) => sent.headers[other] ?? [])
      expect(left).toEqual(header === undefined ? [] : [row.session])
      expect(sent.headers[header ?? 'x-none']).toBe(left[0])
      expect(traceOf(sent).split(row.session)).toHaveLength(left.length + 1)
    }
    const events = await fetch(`${gateway.url}/v1/events?limit=1000`, { headers: bearer(acme) })
    expect(await events.text()).not.toContain(raw)
    expect(gateway.output()).not.toContain(raw)
  })

  test('leave as the keyed id in the header that is configured, and on the route of Workers AI', async () => {
    const headers = { ...bearer(acme), 'x-claude-code-session-id': 'raw-1', 'x-claude-code-agent-id': 'raw-agent-1' }
    const body = richBodies['anthropic-messages']('salted-messages', '8')
    const answer = await posted(`${gateway.url}/v1/messages`, body, headers)
    const sent = takeOne(upstream)
    expect(sent.headers['x-route-key']).toBe((await rowOf(gateway.url, answer, bearer(acme))).session)
    expect(traceOf(sent)).not.toMatch(/raw-1|raw-agent-1/)
    await posted(
      `${gateway.url}${account}/run/@cf/m`,
      { prompt: 'Hi' },
      { ...bearer(acme), 'x-session-affinity': 'raw-2' },
    )
    const run = takeOne(upstream)
    expect(run.headers['x-session-affinity']).toMatch(/^ses_[0-9a-f]{32}$/)
    expect(traceOf(run)).not.toContain('raw-2')
  })
})

const isolated = 'tenant-raw-7'

describe.each([
  { model: 'fireworks', valueOf: ({ headers }: SentRequest) => headers['x-prompt-cache-isolation-key'] },
  { model: 'vllm', valueOf: fieldOf('cache_salt') },
  { model: 'sglang', valueOf: fieldOf('cache_salt') },
  { model: 'openai-native', valueOf: fieldOf('prompt_cache_key') },
  { model: 'salted', valueOf: saltOf },
])('F-3 isolation at "$model"', ({ model, valueOf }) => {
  test('is one value inside an organisation and another for every other one, and tells nothing', async () => {
    const values = []
    for (const key of [acme, acmeToo, bolt]) values.push(valueOf((await ask(model, key)).sent))
    expect(values[0]).toMatch(/inc_[0-9a-f]{32,64}/)
    expect(values[1]).toBe(values[0])
    expect(values[2]).not.toBe(values[0])
    expect(values.join(' ')).not.toMatch(/acme|bolt/)
  })

  test('is narrowed by the key of a client, by header and body alike, and the key itself does not leave', async () => {
    const header = await ask(model, acme, {}, { 'x-prompt-cache-isolation-key': isolated })
    const body = await ask(model, acme, { prompt_cache_isolation_key: isolated })
    const otherOrg = await ask(model, bolt, { prompt_cache_isolation_key: isolated })
    const otherKey = await ask(model, acme, { prompt_cache_isolation_key: `${isolated}-b` })
    const none = await ask(model, acme)
    for (const { sent, row } of [header, body, otherOrg, otherKey]) {
      expect(traceOf(sent)).not.toContain(isolated)
      expect(traceOf(sent)).not.toContain('prompt_cache_isolation_key')
      expect(row.warnings).toEqual([])
    }
    expect(valueOf(body.sent)).toBe(valueOf(header.sent))
    const values = [body, otherOrg, otherKey, none].map(({ sent }) => valueOf(sent))
    expect(new Set(values).size).toBe(4)
    expect(gateway.output()).not.toContain(isolated)
  })

  test('is not asked of an organisation that is alone, until a client asks', async () => {
    const alone = await ask(model, undefined)
    expect(valueOf(alone.sent)).toBeUndefined()
    expect(alone.row.edits).toEqual([])
    expect(valueOf((await ask(model, undefined, { prompt_cache_isolation_key: isolated })).sent)).toMatch(/inc_/)
  })
})

describe('F-3 a client cannot choose', () => {
  test('a salt: its own is replaced', async () => {
    const own = await ask('vllm', acme, { cache_salt: 'of-bolt' })
    expect(fieldOf('cache_salt')(own.sent)).toBe(fieldOf('cache_salt')((await ask('vllm', acme)).sent))
    expect(own.sent.body.toString()).not.toContain('of-bolt')
    expect(own.row.edits).toEqual(['isolate'])
    const header = await ask('fireworks', acme, {}, { 'x-prompt-cache-isolation-key': 'inc_of-bolt' })
    expect(traceOf(header.sent)).not.toContain('of-bolt')
  })

  test("OpenAI's key: its own steers within the scope, whole or as a hash, and never out of it", async () => {
    const key = fieldOf('prompt_cache_key')
    const scope = key((await ask('openai-native', acme)).sent)
    expect(scope?.length).toBeLessThanOrEqual(64)
    const short = key((await ask('openai-native', acme, { prompt_cache_key: 'agent-a' })).sent)
    expect(short).toBe(`${scope}:agent-a`)
    const long = `conversation-of-many-letters-${'x'.repeat(60)}`
    const longs = []
    for (const end of ['1', '2', '1']) {
      longs.push(key((await ask('openai-native', acme, { prompt_cache_key: long + end })).sent))
    }
    expect(longs[0]).toMatch(/^inc_[0-9a-f]{32}:ses_[0-9a-f]{23}$/)
    expect(longs[2]).toBe(longs[0])
    // Two sessions stay two, whatever their ids begin with.
    expect(longs[1]).not.toBe(longs[0])
    // Under one key of OpenAI's, two isolation keys still are two scopes.
    const isolatedKeys = []
    for (const tenant of ['a', 'b']) {
      const more = { prompt_cache_key: 'agent-a', prompt_cache_isolation_key: tenant }
      isolatedKeys.push(key((await ask('openai-native', acme, more)).sent))
    }
    expect(isolatedKeys[0]).not.toBe(isolatedKeys[1])
  })
})

describe('F-3 a text of the scope begins what a model reads', () => {
  const pathOf = {
    'openai-chat': 'chat/completions',
    'openai-responses': 'responses',
    'anthropic-messages': 'messages',
  }
  const models = ['salted', 'salted-messages', 'salted-responses']
  const sources = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const

  test.each(sources.flatMap((source) => models.map((model) => [source, model] as const)))(
    'of %s for "%s": in the first tool, and before all instructions',
    async (source, model) => {
      const texts = []
      for (const key of [acme, bolt, acme]) {
        await posted(`${gateway.url}/v1/${pathOf[source]}`, richBodies[source](model, '16'), bearer(key))
        texts.push(takeOne(upstream).body.toString('utf8'))
      }
      expect(texts[2]).toBe(texts[0])
      const [first, other] = texts.map((text) => renderedTexts(text))
      const salt = /^\[scope inc_[0-9a-f]{64}\]/
      expect(first?.tool).toMatch(salt)
      expect(first?.instructions).toMatch(salt)
      expect(other?.tool).toMatch(salt)
      expect(other?.tool.slice(0, 40)).not.toBe(first?.tool.slice(0, 40))
      expect(other?.instructions.slice(0, 40)).not.toBe(first?.instructions.slice(0, 40))
    },
  )
})

describe('F-3 isolation by credential, and none', () => {
  test('every organisation is called with its own credential, and a gateway that lacks one does not start', async () => {
    for (const [key, credential] of [
      [acme, 'sk-of-acme'],
      [acmeToo, 'sk-of-acme'],
      [bolt, 'sk-of-bolt'],
    ] as const) {
      const { sent, row } = await ask('credential', key)
      expect(sent.headers.authorization).toBe(`Bearer ${credential}`)
      expect([row.edits, row.warnings]).toEqual([[], []])
    }
    const settings = 'kind: openai, isolation: credential, org_keys: { acme: sk-of-acme }'
    const start = startGateway([{ name: 'oa', url: upstream.url, settings }], { config: keys })
    await expect(start).rejects.toThrow('"credential" needs a key in org_keys for each organisation; none for bolt')
  })

  test.each(['shared', 'credential'])(
    'at "%s" a key that is not enforced is warned of, and does not leave',
    async (model) => {
      const { sent, row, warnings } = await ask(model, acme, { prompt_cache_isolation_key: isolated })
      expect(row.warnings).toEqual(['isolation_not_enforced: prompt_cache_isolation_key'])
      expect(warnings).toContain('isolation_not_enforced')
      expect(traceOf(sent)).not.toContain(isolated)
      expect(row.edits).toEqual(['strip-gateway-field'])
      expect((await ask(model, acme)).row.warnings).toEqual([])
    },
  )
})

async function ask(
  model: string,
  key: string | undefined,
  more: object = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ sent: SentRequest; row: EventRow; warnings: string | null }> {
  const { url } = key === undefined ? open : gateway
  const own = key === undefined ? {} : bearer(key)
  const body = { model, ...more, messages: [{ role: 'user', content: 'Hi' }] }
  const answer = await posted(`${url}/v1/chat/completions`, body, { ...own, ...headers })
  const row = await rowOf(url, answer, own)
  return { sent: takeOne(upstream), row, warnings: answer.headers.get('x-incipit-warnings') }
}

/** A message, or a block of a system. */
interface Message {
  readonly text?: string
  readonly content?: string | readonly { text: string }[]
}

/** What a model reads first of a body: of its tools, and of its instructions. */
function renderedTexts(text: string): { tool: string; instructions: string } {
  const body = JSON.parse(text) as {
    tools: { description?: string; function?: { description: string } }[]
    instructions?: string
    system?: Message[]
    input?: Message[]
    messages?: Message[]
  }
  const [tool] = body.tools
  const [message] = body.system ?? body.input ?? body.messages ?? []
  return { tool: (tool?.function ?? tool)?.description ?? '', instructions: body.instructions ?? textIn(message) }
}

function textIn(message: Message | undefined): string {
  const content = message?.text ?? message?.content ?? ''
  return typeof content === 'string' ? content : (content[0]?.text ?? '')
}

function fieldOf(name: string): (sent: SentRequest) => string | undefined {
  return ({ body }) => (JSON.parse(body.toString('utf8')) as Record<string, string | undefined>)[name]
}

function saltOf({ body }: SentRequest): string | undefined {
  return /^\{"role":"system","content":"\[scope (inc_[0-9a-f]{64})\]"\},/.exec(
    body.toString('utf8').split('"messages":[')[1] ?? '',
  )?.[1]
}

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` }
}
