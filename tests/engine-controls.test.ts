import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { eventOf, uniqueText } from './support/prompts.ts'

const config = `
engine:
  disk_bytes: 0
  models:
    - { name: demo, path: "builtin:demo", context_tokens: 16384 }
    - { name: anthropic, path: "builtin:demo", context_tokens: 16384, aliases: ["claude-*"], rules: anthropic }
    - { name: openai, path: "builtin:demo", context_tokens: 16384, aliases: ["gpt-*"], rules: openai }
`
const opus = 'claude-opus-4-1'
const minutes = (count: number): number => count * 60_000

let server: ServerProcess
let anthropic: Anthropic
let openai: OpenAI

beforeAll(async () => {
  server = await startServerProcess({ config, flags: ['--test-clock'] })
  anthropic = new Anthropic({ baseURL: server.url, apiKey: 'unused', maxRetries: 0 })
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0 })
})
afterAll(() => server.stop())

async function pass(ms: number): Promise<void> {
  const answer = await fetch(`${server.url}/admin/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ advance_ms: ms }),
  })
  expect(answer.status).toBe(200)
}

const ephemeral = { type: 'ephemeral' } as const
const hour = { type: 'ephemeral', ttl: '1h' } as const

type Block = Anthropic.TextBlockParam
const block = (text: string, mark?: Anthropic.CacheControlEphemeral): Block => ({
  type: 'text',
  text,
  ...(mark === undefined ? {} : { cache_control: mark }),
})

async function message(body: Partial<Anthropic.MessageCreateParamsNonStreaming>): Promise<Anthropic.Usage> {
  const { data, response } = await anthropic.messages
    .create({ model: opus, max_tokens: 4, messages: [{ role: 'user', content: 'Go on.' }], ...body })
    .withResponse()
  const event = await eventOf(server.url, response.headers.get('x-incipit-request-id'))
  const { usage } = data
  const total = usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
  expect(event.input_tokens).toBe(total)
  expect(event.cached_input_tokens).toBe(usage.cache_read_input_tokens)
  // P-7: what is reported as read was not evaluated.
  expect(event.evaluated_tokens).toBeLessThanOrEqual(total - (usage.cache_read_input_tokens ?? 0))
  return usage
}

test('P-1 a local model counts as Anthropic does: marks write, later requests read and refresh, lives end', async () => {
  const text = uniqueText(1_500)
  const system = [block(text, ephemeral)]
  const first = await message({ system })
  const written = first.cache_creation_input_tokens ?? 0
  expect(first.cache_read_input_tokens).toBe(0)
  expect(written).toBeGreaterThan(1_024)
  expect(first.cache_creation).toMatchObject({ ephemeral_5m_input_tokens: written, ephemeral_1h_input_tokens: 0 })

  const messages = [{ role: 'user' as const, content: 'Something else.' }]
  expect(await message({ system, messages })).toMatchObject({
    cache_read_input_tokens: written,
    cache_creation_input_tokens: 0,
  })
  // Without a mark nothing is read, though the engine evaluates it no second time.
  expect(await message({ system: [block(text)], messages })).toMatchObject({ cache_read_input_tokens: 0 })

  await pass(minutes(4))
  expect(await message({ system })).toMatchObject({ cache_read_input_tokens: written })
  await pass(minutes(4))
  expect(await message({ system })).toMatchObject({ cache_read_input_tokens: written })
  await pass(minutes(5))
  expect(await message({ system })).toMatchObject({ cache_read_input_tokens: 0, cache_creation_input_tokens: written })
})

test('P-1 an hour stands before five minutes, and usage is split by life', async () => {
  const [tools, rules, talk] = [uniqueText(1_200), uniqueText(600), uniqueText(400)]
  const tool: Anthropic.Tool = {
    name: 'find',
    description: tools,
    input_schema: { type: 'object' },
    cache_control: hour,
  }
  const ask = (end: string): Promise<Anthropic.Usage> =>
    message({
      tools: [tool],
      system: [block(rules, hour)],
      messages: [{ role: 'user', content: [block(talk, ephemeral), block(end)] }],
    })
  const first = await ask('one')
  const split = first.cache_creation ?? { ephemeral_1h_input_tokens: 0, ephemeral_5m_input_tokens: 0 }
  expect(split.ephemeral_1h_input_tokens).toBeGreaterThan(split.ephemeral_5m_input_tokens)
  expect(split.ephemeral_5m_input_tokens).toBeGreaterThan(400)
  await pass(minutes(30))
  const later = await ask('two')
  expect(later.cache_read_input_tokens).toBe(split.ephemeral_1h_input_tokens)
  expect(later.cache_creation?.ephemeral_5m_input_tokens).toBe(split.ephemeral_5m_input_tokens)
})

test('P-1 below the minimum of the model nothing is cached, silently; each model has its own', async () => {
  const system = [block(uniqueText(800), ephemeral)]
  const { cache_creation_input_tokens: written } = await message({ model: 'claude-opus-4-1', system })
  expect(written).toBeGreaterThan(1_024)
  expect(await message({ model: 'claude-opus-4-1', system })).toMatchObject({ cache_read_input_tokens: written })
  const nothing = { cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  expect(await message({ model: 'claude-opus-4-5', system })).toMatchObject(nothing)
  expect(await message({ model: 'claude-opus-4-5', system })).toMatchObject(nothing)
})

test('P-1 more than four marks, and an hour after five minutes, are refused as the provider refuses them', async () => {
  const marked = Array.from({ length: 5 }, (_, index) => block(`part ${index}`, ephemeral))
  await expect(message({ system: marked })).rejects.toThrow(/maximum of 4 blocks.*Found 5\. Correct/)
  await expect(message({ system: [block('a', ephemeral), block('b', hour)] })).rejects.toThrow(/1h/)
})

test('P-1 a mark sees an entry 19 blocks before its own, not one 20 before; the automatic mark moves along', async () => {
  const opening = uniqueText(1_500)
  const grown = (count: number): Anthropic.MessageParam[] => [
    {
      role: 'user',
      content: [
        block('now'),
        ...Array.from({ length: count - 1 }, (_, index) => block(`step ${index}`)),
        block('end', ephemeral),
      ],
    },
  ]
  const written = (await message({ system: [block(opening, ephemeral)] })).cache_creation_input_tokens
  expect((await message({ system: [block(opening)], messages: grown(18) })).cache_read_input_tokens).toBe(written)
  expect((await message({ system: [block(opening)], messages: grown(21) })).cache_read_input_tokens).toBe(0)

  const talk: Anthropic.MessageParam[] = [{ role: 'user', content: uniqueText(1_400) }]
  const first = await message({ messages: talk, cache_control: ephemeral })
  talk.push({ role: 'assistant', content: 'Yes.' }, { role: 'user', content: 'And then?' })
  const second = await message({ messages: talk, cache_control: ephemeral })
  expect(second.cache_read_input_tokens).toBe(first.cache_creation_input_tokens)
  expect(second.cache_creation_input_tokens).toBeGreaterThan(0)
})

test('P-1 max_tokens 0 stores the prompt and says nothing', async () => {
  const system = [block(uniqueText(1_400), ephemeral)]
  const prewarm = await anthropic.messages.create({
    model: opus,
    max_tokens: 0,
    system,
    messages: [{ role: 'user', content: 'x' }],
  })
  expect(prewarm).toMatchObject({ content: [], stop_reason: 'max_tokens' })
  const refused = { model: opus, max_tokens: 0, system, messages: [{ role: 'user' as const, content: 'x' }] }
  await expect(anthropic.messages.create({ ...refused, stream: true })).rejects.toThrow(/stream/)
  const usage = await message({ system })
  expect(usage.cache_read_input_tokens).toBe(prewarm.usage.cache_creation_input_tokens)
})

async function complete(
  body: Record<string, unknown>,
): Promise<{ prompt: number; cached: number; written: number | undefined; evaluated: number }> {
  const { data, response } = await openai.chat.completions
    .create({ max_tokens: 4, ...body } as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming) // newer fields than the types
    .withResponse()
  const event = await eventOf(server.url, response.headers.get('x-incipit-request-id'))
  const details = data.usage?.prompt_tokens_details as { cached_tokens: number; cache_write_tokens?: number }
  const prompt = data.usage?.prompt_tokens ?? 0
  expect(event.evaluated_tokens).toBeLessThanOrEqual(prompt - details.cached_tokens)
  const evaluated = event.evaluated_tokens ?? -1
  return { prompt, cached: details.cached_tokens, written: details.cache_write_tokens, evaluated }
}

test('P-2 before GPT-5.6: automatic from 1,024 tokens in steps of 128, kept by retention and key', async () => {
  const messages = [
    { role: 'system', content: uniqueText(1_300) },
    { role: 'user', content: 'Go on.' },
  ]
  const gpt4o = { model: 'gpt-4o', messages, prompt_cache_retention: 'in_memory' }
  const first = await complete(gpt4o)
  expect(first).toMatchObject({ cached: 0, written: undefined })
  const again = await complete(gpt4o)
  expect(again.cached % 128).toBe(0)
  expect(again.cached).toBeGreaterThan(first.prompt - 130)
  expect(await complete({ ...gpt4o, prompt_cache_key: 'other' })).toMatchObject({ cached: 0 })
  await pass(minutes(11))
  expect(await complete(gpt4o)).toMatchObject({ cached: 0, written: undefined })
  const short = { model: 'gpt-4o', messages: [{ role: 'user', content: uniqueText(300) }] }
  await complete(short)
  expect(await complete(short)).toMatchObject({ cached: 0, evaluated: 1 })
})

test('P-2 from GPT-5.6: ends of messages and breakpoints are written for 30 minutes and read', async () => {
  const opening = uniqueText(1_300)
  const system = { role: 'system', content: opening }
  const base = { model: 'gpt-6-sol' }
  const first = await complete({ ...base, messages: [system, { role: 'user', content: 'One.' }] })
  expect(first.cached).toBe(0)
  expect(first.written).toBeGreaterThan(1_024)
  const messages = [
    system,
    { role: 'user', content: 'One.' },
    { role: 'assistant', content: 'Two.' },
    { role: 'user', content: 'Three.' },
  ]
  const second = await complete({ ...base, messages })
  expect(second.cached).toBe(first.written)
  expect(second.written).toBeGreaterThan(0)

  const part = { type: 'text', text: uniqueText(1_200), prompt_cache_breakpoint: { mode: 'explicit' } }
  const explicit = (end: string): Promise<Awaited<ReturnType<typeof complete>>> =>
    complete({
      ...base,
      prompt_cache_options: { mode: 'explicit', ttl: '30m' },
      messages: [{ role: 'user', content: [part, { type: 'text', text: end }] }],
    })
  const written = (await explicit('a')).written
  expect(await explicit('b')).toMatchObject({ cached: written, written: 0 })
  await pass(minutes(29))
  expect(await explicit('c')).toMatchObject({ cached: written })
  await pass(minutes(31))
  expect(await explicit('d')).toMatchObject({ cached: 0, written })
})

test('P-2 a prewarm of the Responses API stores the prompt', async () => {
  const instructions = uniqueText(1_300)
  const ask = async (options: object): Promise<OpenAI.Responses.Response> =>
    openai.responses.create({
      model: 'gpt-6-sol',
      instructions,
      input: 'Go on.',
      max_output_tokens: 16,
      ...options,
    } as unknown as OpenAI.Responses.ResponseCreateParamsNonStreaming) // newer fields than the types
  const prewarm = await ask({ prompt_cache_options: { prewarm: true } })
  expect(prewarm).toMatchObject({ status: 'completed', output: [] })
  const { usage } = await ask({})
  expect(usage?.input_tokens_details.cached_tokens).toBeGreaterThan(1_024)
})

test('P-1 P-7 natively, what is marked outlives what is not, for its life, and usage says what was reused', async () => {
  // Room for about 8,000 tokens beside the prompts that run.
  const small =
    'engine: { disk_bytes: 0, hot_bytes: 16MiB, ram_bytes: 4MiB, models: [{ name: demo, path: "builtin:demo", context_tokens: 4096 }] }'
  const own = await startServerProcess({ config: small, flags: ['--test-clock'] })
  try {
    const client = new Anthropic({ baseURL: own.url, apiKey: 'unused', maxRetries: 0 })
    const chat = new OpenAI({ baseURL: `${own.url}/v1`, apiKey: 'unused', maxRetries: 0 })
    const read = async (system: Block[]): Promise<number> => {
      const messages = [{ role: 'user' as const, content: 'Go on.' }]
      const { usage } = await client.messages.create({ model: 'demo', max_tokens: 2, system, messages })
      return usage.cache_read_input_tokens ?? 0
    }
    const others = async (): Promise<void> => {
      for (let index = 0; index < 16; index++) {
        // oxlint-disable-next-line no-await-in-loop
        await chat.chat.completions.create({
          model: 'demo',
          max_tokens: 2,
          messages: [{ role: 'user', content: uniqueText(500) }],
        })
      }
    }
    const [marked, plain] = [[block(uniqueText(300), ephemeral)], [block(uniqueText(300))]]
    for (const system of [marked, plain]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await read(system)).toBeLessThan(64)
    }
    await others()
    expect(await read(plain)).toBeLessThan(64)
    expect(await read(marked)).toBeGreaterThan(500)
    const advanced = await fetch(`${own.url}/admin/clock`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ advance_ms: minutes(5) }),
    })
    expect(advanced.status).toBe(200)
    await others()
    expect(await read(marked)).toBeLessThan(64)
  } finally {
    await own.stop()
  }
})

test('D-40 siblings reuse what they share without a mark, up to any token', async () => {
  const system = [block(uniqueText(300))]
  const ask = async (content: string): Promise<number> => {
    const messages = [{ role: 'user' as const, content }]
    const { usage } = await anthropic.messages.create({ model: 'demo', max_tokens: 2, system, messages })
    return usage.cache_read_input_tokens ?? 0
  }
  expect(await ask('Look into the first half.')).toBeLessThan(64)
  expect(await ask('Weigh the second half.')).toBeGreaterThan(700)
})

test('P-1 a message is compared with an earlier one: what changed first, and how much was missed', async () => {
  const [text, tool] = [
    uniqueText(400),
    { name: 'find', description: 'Finds.', input_schema: { type: 'object' as const } },
  ]
  interface Diagnosed {
    readonly id: string
    readonly usage: Anthropic.Usage
    readonly diagnostics?: { cache_miss_reason: { type: string; cache_missed_input_tokens?: number } | null } | null
  }
  const ask = async (previous: string | null | undefined, body: object = {}): Promise<Diagnosed> => {
    const asked = previous === undefined ? {} : { diagnostics: { previous_message_id: previous } }
    const question = {
      model: opus,
      max_tokens: 2,
      system: [block(text)],
      messages: [{ role: 'user', content: 'One.' }],
    }
    const parameters = { ...question, ...asked, ...body } as unknown as Anthropic.MessageCreateParamsNonStreaming // not in the types
    return anthropic.messages.create(parameters)
  }
  const first = await ask(undefined)
  expect(first.diagnostics).toBeUndefined()
  expect((await ask(null)).diagnostics).toEqual({ cache_miss_reason: null })
  expect((await ask('msg_unknown')).diagnostics).toEqual({ cache_miss_reason: { type: 'previous_message_not_found' } })
  const grown = [
    { role: 'user', content: 'One.' },
    { role: 'assistant', content: 'Two.' },
    { role: 'user', content: 'Three.' },
  ]
  expect((await ask(first.id, { messages: grown })).diagnostics).toEqual({ cache_miss_reason: null })
  const reason = async (body: object): Promise<{ type: string; cache_missed_input_tokens?: number }> =>
    (await ask(first.id, body)).diagnostics?.cache_miss_reason ?? { type: 'none' }
  const total = first.usage.input_tokens
  const missed = async (body: object): Promise<number> => (await reason(body)).cache_missed_input_tokens ?? -1
  expect(await reason({ model: 'claude-opus-5' })).toEqual({ type: 'model_changed', cache_missed_input_tokens: total })
  expect(await reason({ tools: [tool] })).toMatchObject({ type: 'tools_changed' })
  expect(await reason({ system: [block(`${text}!`)] })).toMatchObject({ type: 'system_changed' })
  const other = { messages: [{ role: 'user', content: 'Other.' }] }
  expect(await reason(other)).toMatchObject({ type: 'messages_changed' })
  expect(await missed(other)).toBeLessThan(50)
  expect(await missed({ system: [block('!')] })).toBe(total)
})

test('P-2 a response is compared with an earlier one, whole and streamed', async () => {
  const instructions = uniqueText(400)
  const parameters = (comparison: string | undefined, body: object): object => ({
    model: 'gpt-6-sol',
    instructions,
    input: 'One.',
    max_output_tokens: 16,
    ...(comparison === undefined ? {} : { prompt_cache_options: { comparison_response_id: comparison } }),
    ...body,
  })
  const ask = async (
    comparison: string | undefined,
    body: object = {},
  ): Promise<{ id: string; diagnosis: unknown }> => {
    const asked = parameters(comparison, body) as unknown as OpenAI.Responses.ResponseCreateParamsNonStreaming // newer
    const response = (await openai.responses.create(asked)) as OpenAI.Responses.Response & {
      prompt_cache_diagnostics?: unknown
    }
    return { id: response.id, diagnosis: response.prompt_cache_diagnostics }
  }
  const { id, diagnosis } = await ask(undefined)
  expect(diagnosis).toBeUndefined()
  expect((await ask('resp_unknown')).diagnosis).toEqual({ type: 'comparison_response_not_found' })
  const hit = { type: 'cache_hit', reason: null, cache_missed_tokens: 0 }
  expect((await ask(id)).diagnosis).toMatchObject(hit)
  const changed = { type: 'cache_miss', reason: 'input_changed' }
  expect((await ask(id, { input: 'Other.' })).diagnosis).toMatchObject(changed)
  const reusable = (await ask(id, { input: 'Other.' })).diagnosis as { comparison_reusable_tokens: number }
  expect(reusable.comparison_reusable_tokens).toBeGreaterThan(1_000)
  expect((await ask(id, { prompt_cache_key: 'k' })).diagnosis).toMatchObject({
    type: 'cache_miss',
    reason: 'prompt_cache_key_changed',
    comparison_reusable_tokens: 0,
  })
  const stream = await openai.responses.create({
    ...parameters(id, {}),
    stream: true,
  } as unknown as OpenAI.Responses.ResponseCreateParamsStreaming) // newer fields than the types
  let last: unknown
  for await (const event of stream)
    if (event.type === 'response.completed' || event.type === 'response.incomplete') last = event.response
  expect(last).toMatchObject({ prompt_cache_diagnostics: hit })
})
