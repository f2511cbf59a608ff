import { findRule, scanJson } from '@incipit/core'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import type { Emulator } from '../packages/gateway/src/emulate/index.ts'
import { startEmulator } from '../packages/gateway/src/emulate/index.ts'
import type { TestUpstream } from './support/gateway.ts'
import { startGateway } from './support/gateway.ts'
import { posted, rowOf } from './support/post.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { startRecordingUpstream } from './support/recording-upstream.ts'
import { oddArguments, oddSchema, richBodies } from './support/rich-bodies.ts'

const account = '/client/v4/accounts/0123abcd/ai'

type Source = keyof typeof richBodies
interface Pair {
  readonly source: Source
  /** Named for the dialect of its upstream. */
  readonly model: string
}

const sources = ['openai-chat', 'openai-responses', 'anthropic-messages', 'workers-ai'] as const
const targets = ['to-chat', 'to-responses', 'to-messages'] as const
const pairs: readonly Pair[] = [
  ...sources.flatMap((source) => targets.map((model) => ({ source, model }))),
  // Its own route is reached from its own dialect only.
  { source: 'workers-ai', model: '@cf/vendor/model-1' },
]

let upstream: RecordingUpstream
let emulator: Emulator
const dataDir = mkdtempSync(join(tmpdir(), 'incipit-test-'))

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  emulator = await startEmulator({ kind: 'anthropic' })
})
afterAll(async () => {
  await upstream?.close()
  await emulator?.close()
  rmSync(dataDir, { recursive: true, force: true })
})

test('D-1 one body sent 1,000 times over every pair of dialects and across restarts gives one byte string a pair', async () => {
  const sent = new Map<Pair, Map<string, number>>()
  let count = 0
  // The second starts where the first one ended, the third with nothing, and so with another secret.
  for (const dir of [dataDir, dataDir, undefined]) {
    await withGateway(dir, async (gateway) => {
      for (let round = 0; round < 26; round++) {
        const bodies = await Promise.all(pairs.map(async (pair) => [pair, await send(gateway, pair, '32')] as const))
        for (const [pair, body] of bodies) {
          const seen = sent.get(pair) ?? new Map<string, number>()
          sent.set(pair, seen.set(body, (seen.get(body) ?? 0) + 1))
          count += 1
        }
      }
    })
  }
  expect(count).toBeGreaterThanOrEqual(1_000)
  expect(sent.size).toBe(pairs.length)
  for (const [pair, bodies] of sent) expect([...bodies.keys()], JSON.stringify(pair)).toHaveLength(1)
})

test('D-4 D-9 schemas and arguments of past calls reach every upstream in the bytes of the client', async () => {
  await withGateway(undefined, async (gateway) => {
    for (const pair of pairs) {
      const body = await send(gateway, pair, '32')
      const name = JSON.stringify(pair)
      // One for each tool, and in Chat one for the form of the answer.
      expect(body.split(oddSchema).length, name).toBeGreaterThan(5)
      expect(body.includes(oddArguments) || body.includes(JSON.stringify(oddArguments)), name).toBe(true)
      expect(toolNames(body), name).toEqual(['zeta', 'alpha', 'Mid', 'beta_2', 'beta_10'])
    }
  })
})

test('D-3 a Messages body that is written anew has tools, system and messages last, in this order', async () => {
  await withGateway(undefined, async (gateway) => {
    for (const source of ['openai-chat', 'openai-responses', 'workers-ai'] as const) {
      const body = JSON.parse(await send(gateway, { source, model: 'to-messages' }, '32')) as object
      expect(Object.keys(body).slice(-3)).toEqual(['tools', 'system', 'messages'])
    }
  })
})

test('D-5 another limit of tokens changes those bytes and no others, in every other dialect too', async () => {
  await withGateway(undefined, async (gateway) => {
    for (const pair of pairs) {
      const [one, other] = await Promise.all(['32', '4096'].map((limit) => send(gateway, pair, limit)))
      expect(withoutLimit(one), JSON.stringify(pair)).toEqual(withoutLimit(other))
    }
  })
})

test('D-7 D-8 tools arrive in the order sent, also behind a restart and when the list grows', async () => {
  const names = ['mcp__zoo__b', 'mcp__zoo__a', 'Bash', 'mcp__alpha__c']
  const grown = [...names, 'mcp__late__a', 'Aardvark']
  const body = (list: readonly string[]): string =>
    `{"model":"to-messages","max_tokens":8,"tools":[${list.map((name) => `{"name":"${name}","input_schema":${oddSchema}}`).join(', ')}],"messages":[{"role":"user","content":"Go."}]}`
  const lists = [names, names, grown, grown]
  for (const part of [lists.slice(0, 2), lists.slice(2)]) {
    await withGateway(dataDir, async (gateway) => {
      for (const list of part) {
        await posted(`${gateway.url}/v1/messages`, body(list), { 'x-claude-code-session-id': 'one-session' })
        expect(upstream.requests.pop()?.body.toString('utf8')).toBe(body(list))
      }
    })
  }
})

test('D-2 over an agent run the prefix of tools is read and not written from turn 2 on, across a restart', async () => {
  const model = 'claude-sonnet-4-5'
  const rule = findRule('anthropic', model, Date.now() as Parameters<typeof findRule>[2]) // the clock of the emulator
  const [readPrice, writePrice] = [rule?.readMultiplier ?? 1, rule?.writeMultiplier['5m'] ?? 1]
  for (const source of ['openai-chat', 'anthropic-messages', 'openai-responses'] as const) {
    emulator.reset()
    const costs: { plain: number; paid: number; read: number; written: number }[] = []
    for (const turns of [
      [1, 2, 3],
      [4, 5, 6],
    ]) {
      await withGateway(dataDir, async (gateway) => {
        for (const turn of turns) {
          const answer = await posted(`${gateway.url}${pathOf(source, model)}`, agentTurn(source, model, turn))
          const { usage } = await rowOf(gateway.url, answer)
          const [fresh, read, written] = [usage['fresh'] ?? 0, usage['read'] ?? 0, usage['write_5m'] ?? 0]
          const paid = fresh + read * readPrice + written * writePrice
          costs.push({ plain: fresh + read + written, paid, read, written })
        }
      })
    }
    const [first, ...later] = costs
    expect(first?.read, source).toBe(0)
    expect(first?.written, source).toBeGreaterThan(2_000)
    for (const { read, written } of later) {
      expect(read, source).toBeGreaterThanOrEqual(first?.written ?? Infinity)
      expect(written, source).toBeLessThan(200)
    }
    const sum = (key: 'plain' | 'paid'): number => later.reduce((total, cost) => total + cost[key], 0)
    expect(sum('paid') / sum('plain'), source).toBeLessThan(0.2)
  }
})

const upstreams = (): TestUpstream[] => [
  { name: 'chat', url: upstream.url, settings: 'kind: openai, api_key: k, speaks: [openai-chat], models: [to-chat]' },
  {
    name: 'responses',
    url: upstream.url,
    settings: 'kind: openai, api_key: k, speaks: [openai-responses], models: [to-responses]',
  },
  { name: 'messages', url: upstream.url, settings: 'kind: anthropic, api_key: k, models: [to-messages]' },
  { name: 'cf', url: `${upstream.url}${account}`, settings: 'kind: workers-ai, api_key: k, models: ["@cf/*"]' },
  { name: 'emulator', url: emulator.url, settings: 'kind: anthropic, api_key: sk-ant-test, models: ["claude-*"]' },
]

async function withGateway(dir: string | undefined, use: (gateway: ServerProcess) => Promise<void>): Promise<void> {
  const gateway = await startGateway(upstreams(), dir === undefined ? {} : { dataDir: dir })
  try {
    await use(gateway)
  } finally {
    await gateway.stop()
  }
}

let number = 0

/** @returns what the upstream got for the rich body of the dialect */
async function send(gateway: ServerProcess, { source, model }: Pair, limit: string): Promise<string> {
  number += 1
  const name = String(number)
  await posted(`${gateway.url}${pathOf(source, model)}`, richBodies[source](model, limit), { 'x-test-number': name })
  const at = upstream.requests.findIndex(({ headers }) => headers['x-test-number'] === name)
  const [request] = upstream.requests.splice(at, 1)
  if (at === -1 || request === undefined) throw new Error(`request ${name} did not arrive`)
  return request.body.toString('utf8')
}

function pathOf(source: Source, model: string): string {
  if (source === 'openai-chat') return '/v1/chat/completions'
  if (source === 'openai-responses') return '/v1/responses'
  return source === 'anthropic-messages' ? '/v1/messages' : `${account}/run/${model}`
}

/** What stands before and behind the limit of tokens, by whatever name. */
function withoutLimit(body: string | undefined): readonly string[] {
  const bytes = Buffer.from(body ?? '')
  const document = scanJson(bytes)
  const names = ['max_tokens', 'max_completion_tokens', 'max_output_tokens']
  const [node, ...more] = names.flatMap((name) => document.find(0, name) ?? [])
  if (node === undefined || more.length > 0) throw new Error(`not one limit of tokens: ${body}`)
  return [bytes.subarray(0, document.start(node)), bytes.subarray(document.end(node))].map(String)
}

function toolNames(body: string): string[] {
  const { tools } = JSON.parse(body) as { tools: { name?: string; function?: { name: string } }[] }
  return tools.map((tool) => tool.name ?? tool.function?.name ?? '')
}

/** Turn `turn` of a run: twenty tools that stay, and a conversation that grows by a few words. */
function agentTurn(source: Exclude<Source, 'workers-ai'>, model: string, turn: number): string {
  const description = 'Looks something up and says what it found there. '.repeat(12)
  const names = Array.from({ length: 20 }, (_, index) => `tool_${(index * 7) % 20}`)
  const says = (index: number): string => (index % 2 === 0 ? `Question ${index}?` : `Answer ${index}.`)
  const messages = Array.from({ length: turn * 2 - 1 }, (_, index) => {
    return { role: index % 2 === 0 ? 'user' : 'assistant', content: says(index) }
  })
  if (source === 'anthropic-messages') {
    const tools = names.map((name) => `{"input_schema":${oddSchema},"description":"${description}","name":"${name}"}`)
    // As an agent does: marks on the system and on the end of the conversation.
    const marked = messages.map(({ role, content }, index) => {
      const mark = index === messages.length - 1 ? { cache_control: { type: 'ephemeral' } } : {}
      return { role, content: [{ type: 'text', text: content, ...mark }] }
    })
    return `{"model":"${model}","max_tokens":8,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],"tools":[${tools.join(',')}],"messages":${JSON.stringify(marked)}}`
  }
  if (source === 'openai-responses') {
    const tools = names.map(
      (name) => `{"type":"function","parameters":${oddSchema},"description":"${description}","name":"${name}"}`,
    )
    return `{"model":"${model}","max_output_tokens":16,"instructions":"Be brief.","tools":[${tools.join(',')}],"input":${JSON.stringify(messages)}}`
  }
  const tools = names.map(
    (name) =>
      `{"type":"function","function":{"parameters":${oddSchema},"description":"${description}","name":"${name}"}}`,
  )
  return `{"model":"${model}","max_tokens":8,"tools":[${tools.join(',')}],"messages":${JSON.stringify([{ role: 'system', content: 'Be brief.' }, ...messages])}}`
}
