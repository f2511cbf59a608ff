import type { Dialect, Edit, Prompt } from '@incipit/core'
import {
  bodyAsksForUsage,
  createAnthropicMessages,
  createOpenaiChat,
  createOpenaiResponses,
  createWorkersAi,
  invertEdits,
  passingEdits,
  repairMarks,
  scanJson,
  splice,
} from '@incipit/core'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { bodyOf, gatewayOnly } from './support/generated-bodies.ts'
import { posted } from './support/post.ts'
import type { Posted } from './support/post.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { startRecordingUpstream } from './support/recording-upstream.ts'

const account = '/client/v4/accounts/0123abcd/ai'

interface Case {
  readonly dialect: Dialect & {
    readonly name: 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'workers-ai'
  }
  /** Where bodies are posted to: a model of the path stands behind it. */
  readonly path: string
  readonly models: readonly string[]
}

const runModel = '@cf/vendor/model-1'
const cases: readonly Case[] = [
  { dialect: named(createOpenaiChat()), path: '/v1/chat/completions', models: ['gpt-1', 'short'] },
  { dialect: named(createOpenaiResponses()), path: '/v1/responses', models: ['gpt-1', 'short'] },
  // The second is served by a kind that is not Anthropic's own.
  { dialect: named(createAnthropicMessages()), path: '/v1/messages', models: ['claude-1', 'compatible-1'] },
  { dialect: named(createWorkersAi()), path: `${account}/run/${runModel}`, models: [runModel] },
]

/** What the upstreams call a model. */
const longName = 'accounts/somebody/models/"long"'

let upstream: RecordingUpstream
/** `mode: observe`, and nothing is added to streams. */
let silent: ServerProcess
/** With everything at its default. */
let usual: ServerProcess

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const upstreams = (names: string): Parameters<typeof startGateway>[0] => [
    { name: 'cf', url: `${upstream.url}${account}`, settings: 'kind: workers-ai, api_key: k, models: ["@cf/*"]' },
    { name: 'anthropic', url: upstream.url, settings: 'kind: anthropic, api_key: k, models: ["claude-*"]' },
    { name: 'compatible', url: upstream.url, settings: 'kind: anthropic-compatible, models: ["compatible-*"]' },
    { name: 'openai', url: upstream.url, settings: `kind: openai, api_key: k, models: ["*"]${names}` },
  ]
  const renamed = `, model_names: { short: ${JSON.stringify(longName)} }`
  silent = await startGateway(upstreams(''), { config: 'mode: observe\ninject_stream_usage: false\n' })
  usual = await startGateway(upstreams(renamed))
})
afterAll(async () => {
  await Promise.all([silent?.stop(), usual?.stop()])
  await upstream?.close()
})

describe.each(cases)('$dialect.name', ({ dialect, path, models }) => {
  test('D-6 a body that nothing applies to arrives as the same bytes, marks and order of keys included', async () => {
    const bodies = bodyOf(dialect.name, { models, labelled: false })
    await inBatches(bodies, 1_000, async (text) => {
      const body = Buffer.from(text)
      const { sent, answer } = await sendThrough(silent, path, body)
      expect(answer.headers.get('x-incipit-edits')).toBeNull()
      expectSameBytes(sent, body)
    })
  })

  test('D-6 with everything on, undoing the edits that are listed gives back the bytes of the client', async () => {
    const seen = new Set<string>()
    const bodies = bodyOf(dialect.name, { models, labelled: true })
    await inBatches(bodies, 1_000, async (text) => {
      const body = Buffer.from(text)
      const { sent, answer } = await sendThrough(usual, path, body)
      const edits = expectedEdits(dialect, body)
      for (const { name } of edits) seen.add(name)
      expect(answer.headers.get('x-incipit-edits') ?? '').toBe(edits.map(({ name }) => name).join(', '))
      expectSameBytes(sent, splice(body, edits))
      expectSameBytes(splice(sent, invertEdits(body, edits)), body)
      expect(sent.toString('utf8')).not.toContain(gatewayOnly)
      expect(() => void JSON.parse(sent.toString('utf8'))).not.toThrow()
      expect(topNames(sent)).not.toContain('prompt_cache_isolation_key')
      // Marks that had to go are gone also where other edits touch the same block.
      expect(marksBeside(parseOf(dialect, sent), [])).toEqual([])
    })
    // Bodies that need nothing would prove nothing.
    expect([...seen].sort()).toEqual(editsOf[dialect.name])
  })

  test('D-5 another limit of tokens changes those bytes and no others', async () => {
    expect.hasAssertions()
    const limit = '@limit@'
    const bodies = bodyOf(dialect.name, { models, labelled: true, limit })
    const numbers = fc.constantFrom('1', '16', '1024', '4.0e3', '12345678901234567890')
    await inBatches(fc.tuple(bodies, numbers, numbers), 100, async ([text, one, other]) => {
      const withLimit = (number: string): Buffer => Buffer.from(text.replace(limit, () => number))
      const [first, second] = await Promise.all(
        [one, other].map((number) => sendThrough(usual, path, withLimit(number))),
      )
      const name = dialect.name === 'openai-responses' ? 'max_output_tokens' : 'max_tokens'
      const [before, behind] = around(first?.sent, name, one)
      const [beforeOther, behindOther] = around(second?.sent, name, other)
      expectSameBytes(beforeOther, before)
      expectSameBytes(behindOther, behind)
    })
  })
})

/** The names of edits that the generated bodies call for. */
const editsOf: Readonly<Record<Case['dialect']['name'], readonly string[]>> = {
  'openai-chat': ['inject-usage', 'rename-model', 'strip-gateway-field'],
  'openai-responses': ['rename-model', 'strip-gateway-field'],
  'anthropic-messages': ['drop-mark', 'move-mark', 'strip-billing-block', 'strip-gateway-field'],
  'workers-ai': ['strip-gateway-field'],
}

/** What has to be done to a body, told from the rules and not from what was sent. */
function expectedEdits(dialect: Dialect, body: Buffer): Edit[] {
  const prompt = parseOf(dialect, body)
  const edits = passingEdits(prompt, {
    model: prompt.model === 'short' ? longName : prompt.model,
    streamUsage: dialect.name === 'openai-chat' && prompt.stream && !bodyAsksForUsage(prompt),
    stripBillingBlock: prompt.model !== 'claude-1',
  })
  return [...edits, ...marksBeside(prompt, edits)].sort((a, b) => a.start - b.start || a.end - b.end)
}

function parseOf(dialect: Dialect, body: Buffer): Prompt {
  return dialect.parse(body, dialect.name === 'workers-ai' ? { pathModel: runModel } : {})
}

/** Repairs of marks, but for those in what is taken out as a whole. */
function marksBeside(prompt: Prompt, edits: readonly Edit[]): Edit[] {
  if (prompt.dialect !== 'anthropic-messages') return []
  const touches = (one: Edit, other: Edit): boolean => one.start < other.end && other.start < one.end
  const gone = edits.filter(({ name }) => name === 'strip-billing-block')
  return repairMarks(prompt, gone).edits.filter((repair) => !edits.some((edit) => touches(repair, edit)))
}

interface Sent {
  readonly sent: Buffer
  readonly answer: Posted
}

let number = 0

async function sendThrough(gateway: ServerProcess, path: string, body: Buffer): Promise<Sent> {
  number += 1
  const name = String(number)
  const answer = await posted(`${gateway.url}${path}`, body, { 'x-test-number': name })
  const at = upstream.requests.findIndex(({ headers }) => headers['x-test-number'] === name)
  const [request] = upstream.requests.splice(at, 1)
  if (at === -1 || request === undefined) throw new Error(`request ${name} did not arrive`)
  return { sent: request.body, answer }
}

/** Runs a property over values, many at a time: one request after another would mostly wait. */
async function inBatches<T>(values: fc.Arbitrary<T>, count: number, check: (value: T) => Promise<void>): Promise<void> {
  const batch = 20
  const batches = fc.array(values, { minLength: batch, maxLength: batch })
  const property = fc.asyncProperty(batches, async (values) => {
    await Promise.all(values.map(check))
  })
  await fc.assert(property, { numRuns: count / batch })
}

/** Texts say more than two lists of numbers where bytes differ. */
function expectSameBytes(seen: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  if (seen !== undefined && expected !== undefined && Buffer.compare(seen, expected) === 0) return
  expect(textOf(seen)).toBe(textOf(expected))
  expect.unreachable('bytes differ that are the same as text')
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')
}

/** What stands before and behind the value of a member of the body. */
function around(body: Buffer | undefined, name: string, value: string): [Buffer, Buffer] {
  if (body === undefined) throw new Error('nothing was sent')
  const document = scanJson(body)
  const node = document.find(0, name)
  if (node === undefined) throw new Error(`the body sent has no ${name}`)
  expect(document.raw(node)).toBe(value)
  return [body.subarray(0, document.start(node)), body.subarray(document.end(node))]
}

function topNames(body: Buffer): string[] {
  return Object.keys(JSON.parse(body.toString('utf8')) as object)
}

function named(dialect: Dialect): Case['dialect'] {
  if (dialect.name === 'gemini') throw new Error('not spoken here')
  return { ...dialect, name: dialect.name }
}
