import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Emulator } from '../start-emulator.ts'
import { anEmulator, pixel, post, textOfTokens } from '../testing/emulators.ts'

const minute = 60_000
const mark = { cache_control: { type: 'ephemeral' } }
const hour = { cache_control: { type: 'ephemeral', ttl: '1h' } }
const text = (content: string, more: object = {}): object => ({ type: 'text', text: content, ...more })
const user = (...content: object[]): object => ({ role: 'user', content })

interface Usage {
  readonly fresh: number
  readonly read: number
  readonly write5m: number
  readonly write1h: number
}

interface WireUsage {
  readonly input_tokens: number
  readonly cache_read_input_tokens: number
  readonly cache_creation: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number }
}

async function usageOf(emulator: Emulator, body: object, headers: Record<string, string> = {}): Promise<Usage> {
  const {
    status,
    json,
    text: whole,
  } = await post(emulator, '/v1/messages', { model: 'claude-opus-5', max_tokens: 10, ...body }, headers)
  expect(status, whole).toBe(200)
  const usage = json['usage'] as WireUsage
  return {
    fresh: usage.input_tokens,
    read: usage.cache_read_input_tokens,
    write5m: usage.cache_creation.ephemeral_5m_input_tokens,
    write1h: usage.cache_creation.ephemeral_1h_input_tokens,
  }
}

const none: Usage = { fresh: 0, read: 0, write5m: 0, write1h: 0 }

test.each([
  ['claude-opus-5-5', 512],
  ['claude-fable-5-1', 512],
  ['claude-haiku-5-5', 512],
  ['claude-sonnet-5', 1_024],
  ['claude-opus-4-8', 1_024],
  ['claude-sonnet-4-5-20250929', 1_024],
  ['claude-opus-4-7', 2_048],
  ['claude-3-5-haiku-latest', 2_048],
  ['claude-opus-4-6', 4_096],
  ['claude-haiku-4-5', 4_096],
])('P-1 %s caches from %i tokens on, and is silent below', async (model, least) => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const below = { model, messages: [user(text(textOfTokens(least - 1), mark))] }
  for (let turn = 0; turn < 2; turn += 1) expect(await usageOf(emulator, below)).toEqual({ ...none, fresh: least - 1 })
  const enough = { model, messages: [user(text(textOfTokens(least), mark))] }
  expect(await usageOf(emulator, enough)).toEqual({ ...none, write5m: least })
  expect(await usageOf(emulator, enough)).toEqual({ ...none, read: least })
})

test('P-1 an entry lives five minutes or an hour, and every read begins its time anew', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  for (const [ttl, life] of [
    ['5m', 5 * minute],
    ['1h', 60 * minute],
  ] as const) {
    const body = { messages: [user(text(textOfTokens(600, ttl), { cache_control: { type: 'ephemeral', ttl } }))] }
    await usageOf(emulator, body)
    for (let turn = 0; turn < 3; turn += 1) {
      emulator.advance(life - 1_000)
      expect((await usageOf(emulator, body)).read).toBe(600)
    }
    emulator.advance(life)
    expect((await usageOf(emulator, body)).read).toBe(0)
  }
})

test('P-1 the time of an entry counts from the start of its request', async () => {
  const emulator = await anEmulator({ kind: 'anthropic', clock: { now: () => 0 as never } })
  const body = { messages: [user(text(textOfTokens(600), mark))] }
  emulator.fault({ delay_head_ms: 300 })
  const slow = usageOf(emulator, body)
  await expect.poll(() => emulator.requests().length).toBe(1)
  emulator.advance(4 * minute)
  expect((await slow).write5m).toBe(600)
  emulator.advance(minute)
  expect((await usageOf(emulator, body)).read).toBe(0)
})

test('P-1 D-38 an entry can be read only after the first answer has begun', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const body = { messages: [user(text(textOfTokens(600), mark))] }
  emulator.fault({ delay_head_ms: 200 })
  const first = usageOf(emulator, body)
  await expect.poll(() => emulator.requests().length).toBe(1)
  expect((await usageOf(emulator, { ...body, max_tokens: 5 })).write5m).toBe(600)
  expect((await first).write5m).toBe(600)
  expect((await usageOf(emulator, body)).read).toBe(600)
})

test('P-1 D-19 a breakpoint looks back over twenty blocks and no further', async () => {
  for (const [added, read] of [
    [19, 600],
    [20, 0],
  ] as const) {
    const emulator = await anEmulator({ kind: 'anthropic' })
    await usageOf(emulator, { messages: [user(text(textOfTokens(600), mark))] })
    const blocks = Array.from({ length: added }, (_, index) => text(`block ${index}`, index === added - 1 ? mark : {}))
    expect((await usageOf(emulator, { messages: [user(text(textOfTokens(600)), ...blocks)] })).read).toBe(read)
  }
})

test('P-1 only breakpoints are written: a shared beginning without one is not read', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const shared = text(textOfTokens(600))
  await usageOf(emulator, { messages: [user(shared, text('one', mark))] })
  expect((await usageOf(emulator, { messages: [user(shared, text('two', mark))] })).read).toBe(0)
})

test('P-1 an hour, five minutes and the rest are billed apart', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const part = (name: string, more: object = {}): object => text(textOfTokens(600, name), more)
  const blocks = [part('a', hour), part('b', hour), part('c', mark), part('d')]
  expect(await usageOf(emulator, { messages: [user(...blocks)] })).toEqual({
    fresh: 600,
    read: 0,
    write1h: 1_200,
    write5m: 600,
  })
  const grown = [part('a', hour), part('b', hour), part('x', hour), part('y', mark), part('z')]
  expect(await usageOf(emulator, { messages: [user(...grown)] })).toEqual({
    fresh: 600,
    read: 1_200,
    write1h: 600,
    write5m: 600,
  })
})

test('P-1 the automatic form moves forward with every turn', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const first = user(text(textOfTokens(600)))
  const body = { ...mark, messages: [first] }
  expect(await usageOf(emulator, body)).toEqual({ ...none, write5m: 600 })
  const grown = {
    ...mark,
    messages: [first, { role: 'assistant', content: textOfTokens(50) }, user(text(textOfTokens(30)))],
  }
  expect(await usageOf(emulator, grown)).toEqual({ ...none, read: 600, write5m: 80 })
})

const tool = (name: string): object => ({
  name,
  description: textOfTokens(600, name),
  input_schema: { type: 'object' },
})
const base = {
  model: 'claude-opus-5',
  max_tokens: 3_000,
  tools: [{ ...tool('alpha'), ...mark }],
  system: [text(textOfTokens(700, 'system'), mark)],
  messages: [user(text(textOfTokens(800, 'user'), mark))],
}
const document = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }

test.each<[string, 'nothing' | 'tools' | 'system' | 'everything', object]>([
  ['a tool description', 'nothing', { tools: [{ ...tool('beta'), ...mark }] }],
  ['the model', 'nothing', { model: 'claude-opus-5-5' }],
  ['the web-search tool', 'tools', { tools: [...base.tools, { type: 'web_search_20250305', name: 'web_search' }] }],
  ['citations', 'tools', { messages: [...base.messages, user({ ...document, citations: { enabled: true } })] }],
  ['the speed', 'tools', { speed: 'fast' }],
  ['the system text', 'tools', { system: [text(textOfTokens(700, 'other'), mark)] }],
  ['tool_choice', 'system', { tool_choice: { type: 'any' } }],
  [
    'an image added at the end',
    'system',
    {
      messages: [
        ...base.messages,
        user({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } }),
      ],
    },
  ],
  ['thinking', 'system', { thinking: { type: 'enabled', budget_tokens: 1_024 } }],
  ['the effort', 'system', { output_config: { effort: 'low' } }],
  ['a message before the breakpoint', 'system', { messages: [user(text(textOfTokens(800, 'changed'), mark))] }],
  ['temperature and max_tokens', 'everything', { temperature: 0.5, max_tokens: 20 }],
  ['a default written out: tool_choice', 'everything', { tool_choice: { type: 'auto' } }],
  ['a default written out: thinking', 'everything', { thinking: { type: 'disabled' } }],
  ['a default written out: effort and speed', 'everything', { output_config: { effort: 'high' }, speed: 'standard' }],
  [
    'a text instead of one text block',
    'everything',
    { messages: [{ role: 'user', content: textOfTokens(800, 'user') }], ...mark },
  ],
])('P-1 P-9 P-10 changing %s keeps %s', async (_name, kept, change) => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const cold = await usageOf(emulator, base)
  const total = cold.write5m
  const tools = total - 1_500
  const { read } = await usageOf(emulator, { ...base, ...change })
  expect(read).toBe({ nothing: 0, tools, system: tools + 700, everything: total }[kept])
})

test('P-6 caches are shared in a workspace and never across workspaces, organisations or models', async () => {
  const keys = { a: { org: 'acme' }, b: { org: 'acme' }, c: { org: 'acme', workspace: 'other' }, d: { org: 'globex' } }
  const emulator = await anEmulator({ kind: 'anthropic', options: { keys } })
  const body = { messages: [user(text(textOfTokens(600), mark))] }
  const readBy = async (key: string, more: object = {}): Promise<number> =>
    (await usageOf(emulator, { ...body, ...more }, { 'x-api-key': key })).read
  await readBy('a')
  expect(await readBy('b')).toBe(600)
  expect(await readBy('c')).toBe(0)
  expect(await readBy('d')).toBe(0)
  expect(await readBy('a', { model: 'claude-opus-5-5' })).toBe(0)
  expect((await post(emulator, '/v1/messages', body, { 'x-api-key': 'e' })).status).toBe(401)
})

test('P-1 thinking stays in the prompt of later models and is stripped from that of earlier ones', async () => {
  for (const [model, kept] of [
    ['claude-opus-4-6', true],
    ['claude-haiku-4-5', false],
  ] as const) {
    const emulator = await anEmulator({ kind: 'anthropic' })
    const thinking = { type: 'enabled', budget_tokens: 1_024 }
    const asked = { model, max_tokens: 3_000, thinking, messages: [user(text(textOfTokens(5_000)))] }
    const { json } = await post(emulator, '/v1/messages', asked)
    const content = json['content'] as object[]
    const total = async (more: object[]): Promise<number> => {
      const { fresh } = await usageOf(emulator, {
        ...asked,
        messages: [...asked.messages, { role: 'assistant', content }, ...more],
      })
      return fresh
    }
    const output = (json['usage'] as Record<string, number>)['output_tokens'] ?? 0
    const more = await total([user(text('more'))])
    expect(more === 5_000 + output + 1).toBe(kept)
    expect(more).toBeLessThanOrEqual(5_000 + output + 1)
  }
})

test('P-1 max_tokens 0 stores the prompt and says nothing', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const body = { model: 'claude-opus-5', max_tokens: 0, messages: [user(text(textOfTokens(600), mark))] }
  const { json } = await post(emulator, '/v1/messages', body)
  expect(json).toMatchObject({
    content: [],
    stop_reason: 'max_tokens',
    usage: { cache_creation_input_tokens: 600, output_tokens: 0 },
  })
  expect((await usageOf(emulator, { ...body, max_tokens: 1 })).read).toBe(600)
})

const beta = { 'anthropic-beta': 'cache-diagnosis-2026-04-07' }

test.each<[string, object, unknown]>([
  ['nothing', {}, null],
  ['more messages', { messages: [...base.messages, { role: 'assistant', content: 'a' }, user(text('b'))] }, null],
  ['the model', { model: 'claude-opus-5-5' }, expect.objectContaining({ type: 'model_changed' })],
  ['a tool more', { tools: [...base.tools, tool('beta')] }, expect.objectContaining({ type: 'tools_changed' })],
  ['the system text', { system: 'other' }, expect.objectContaining({ type: 'system_changed' })],
  ['a message', { messages: [user(text('other'))] }, { type: 'messages_changed', cache_missed_input_tokens: 800 }],
])('P-1 D-56 diagnostics after a change of %s', async (_name, change, reason) => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const { json: first } = await post(emulator, '/v1/messages', base)
  const diagnostics = { previous_message_id: first['id'] }
  const { json } = await post(emulator, '/v1/messages', { ...base, ...change, diagnostics }, beta)
  expect(json['diagnostics']).toEqual({ cache_miss_reason: reason })
})

test('P-1 D-56 diagnostics name a previous message that is not there, and are refused without their beta header', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const body = { ...base, diagnostics: { previous_message_id: 'msg_none' } }
  const { json } = await post(emulator, '/v1/messages', body, beta)
  expect(json['diagnostics']).toEqual({ cache_miss_reason: { type: 'previous_message_not_found' } })
  expect((await post(emulator, '/v1/messages', body)).text).toContain('diagnostics: Extra inputs are not permitted')
})

test('D-9 the order of keys counts inside tool arguments and schemas, and nowhere around them', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const ask = (input: object, schema: object, outer: object): object => ({
    tools: [{ ...outer, input_schema: schema }],
    messages: [
      { role: 'user', content: textOfTokens(600) },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input }] },
      user({ type: 'tool_result', tool_use_id: 'toolu_1', content: 'x', ...mark }),
    ],
  })
  const outer = { name: 'find', description: 'x' }
  const cold = await usageOf(emulator, ask({ a: 1, b: 2 }, { type: 'object', title: 't' }, outer))
  const reordered = { description: 'x', name: 'find' }
  expect((await usageOf(emulator, ask({ a: 1, b: 2 }, { type: 'object', title: 't' }, reordered))).read).toBe(
    cold.write5m,
  )
  expect((await usageOf(emulator, ask({ b: 2, a: 1 }, { type: 'object', title: 't' }, outer))).read).toBe(0)
  expect((await usageOf(emulator, ask({ a: 1, b: 2 }, { title: 't', type: 'object' }, outer))).read).toBe(0)
})

test('P-7 an entry may vanish before its time, and the request is served cold', async () => {
  const emulator = await anEmulator({ kind: 'anthropic', options: { maxCacheEntries: 1 } })
  const ask = (name: string): object => ({ messages: [user(text(textOfTokens(600, name), mark))] })
  await usageOf(emulator, ask('one'))
  await usageOf(emulator, ask('two'))
  expect((await usageOf(emulator, ask('one'))).read).toBe(0)
})

test('P-1 whatever is marked and repeated, read, written and plain tokens add up to the prompt', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const block = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    tokens: fc.integer({ min: 1, max: 900 }),
    marked: fc.boolean(),
  })
  const prompts = fc.array(block, { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(prompts, fc.boolean(), async (blocks, automatic) => {
      const content = blocks.map(({ name, tokens, marked }) => text(textOfTokens(tokens, name), marked ? mark : {}))
      const all = blocks.every(({ marked }) => marked)
      const { fresh, read, write5m, write1h } = await usageOf(emulator, {
        messages: [user(...content)],
        ...(automatic && !all ? mark : {}),
      })
      expect(fresh + read + write5m + write1h).toBe(blocks.reduce((sum, { tokens }) => sum + tokens, 0))
      emulator.advance(minute)
    }),
    { numRuns: 60 },
  )
})

test('D-24 the line that Claude Code changes with every request is no part of the prompt', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const line = (value: string): string => `x-anthropic-billing-header: cc_version=2.1; cch=${value};`
  const ask = (system: unknown): Promise<Usage> => usageOf(emulator, { system, messages: [user(text('abcd'))] })
  const rest = text(textOfTokens(600), mark)
  expect(await ask([text(line('one')), rest])).toEqual({ ...none, fresh: 1, write5m: 600 })
  expect(await ask([text(line('two')), rest])).toEqual({ ...none, fresh: 1, read: 600 })
  expect(await ask([rest])).toEqual({ ...none, fresh: 1, read: 600 })
  // In the same block as more text only the line goes.
  expect(await ask([text(`${line('three')}\n${textOfTokens(600)}`, mark)])).toEqual({ ...none, fresh: 1, read: 600 })
  // Anywhere else it is text like any other.
  expect((await ask([text('abcd'), text(line('four')), rest])).write5m).toBeGreaterThan(600)
})
