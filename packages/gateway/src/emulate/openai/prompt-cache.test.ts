import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Emulator } from '../start-emulator.ts'
import { anEmulator, pixel, post, textOfTokens } from '../testing/emulators.ts'

const minute = 60_000
const hour = 60 * minute
const chat = '/v1/chat/completions'
const old = 'gpt-5.4'
const recent = 'gpt-5.6-sol'
const say = (role: string, content: unknown): object => ({ role, content })
const part = (text: string, marked: boolean = false): object => ({
  type: 'text',
  text,
  ...(marked ? { prompt_cache_breakpoint: { mode: 'explicit' } } : {}),
})
const explicit = { prompt_cache_options: { mode: 'explicit' } }

interface Counted {
  readonly prompt: number
  readonly cached: number
  readonly written: number | undefined
}

interface WireUsage {
  readonly prompt_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens?: number }
}

async function countOf(emulator: Emulator, body: object, headers: Record<string, string> = {}): Promise<Counted> {
  const { status, json, text } = await post(emulator, chat, body, headers)
  expect(status, text).toBe(200)
  const usage = json['usage'] as WireUsage
  const { cached_tokens: cached, cache_write_tokens: written } = usage.prompt_tokens_details
  return { prompt: usage.prompt_tokens, cached, written }
}

/** The role of a message counts one token ("user"), that of the others more. */
const userTokens = (tokens: number, name?: string): object => say('user', textOfTokens(tokens - 1, name))

test.each([
  [1_024, 0],
  [1_025, 1_024],
  [1_152, 1_024],
  [1_153, 1_152],
  [1_500, 1_408],
])('P-2 before 5.6 a repeated prompt of %i tokens reads %i: from 1,024 on, in steps of 128', async (tokens, cached) => {
  const emulator = await anEmulator({ kind: 'openai' })
  const body = { model: old, messages: [userTokens(tokens)] }
  expect(await countOf(emulator, body)).toEqual({ prompt: tokens, cached: 0, written: undefined })
  expect((await countOf(emulator, body)).cached).toBe(cached)
})

test('P-2 before 5.6 the longest common beginning is read, wherever it ends', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const text = textOfTokens(3_000)
  await countOf(emulator, { model: old, messages: [say('user', text)] })
  const changed = `${text.slice(0, 8_000)}!${text.slice(8_001)}`
  expect((await countOf(emulator, { model: old, messages: [say('user', changed)] })).cached).toBe(1_920)
})

test('P-2 gpt-5.5 caches every 2,048 tokens', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const body = { model: 'gpt-5.5', messages: [userTokens(5_000)] }
  await countOf(emulator, body)
  expect((await countOf(emulator, body)).cached).toBe(4_096)
})

test('P-2 in_memory lives ten idle minutes and an hour at most, 24h a day', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const inMemory = { model: old, prompt_cache_retention: 'in_memory', messages: [userTokens(1_200, 'memory')] }
  await countOf(emulator, inMemory)
  for (let turn = 0; turn < 6; turn += 1) {
    emulator.advance(9 * minute)
    expect((await countOf(emulator, inMemory)).cached).toBe(1_152)
  }
  emulator.advance(6 * minute + 1)
  expect((await countOf(emulator, inMemory)).cached).toBe(0)
  const day = { model: old, messages: [userTokens(1_200, 'day')] }
  await countOf(emulator, day)
  emulator.advance(23 * hour)
  expect((await countOf(emulator, day)).cached).toBe(1_152)
  emulator.advance(hour)
  expect((await countOf(emulator, day)).cached).toBe(0)
})

test('P-2 organisations without stored data keep caches in memory unless asked otherwise', async () => {
  const emulator = await anEmulator({ kind: 'openai', options: { zeroDataRetention: true } })
  const body = { model: old, messages: [userTokens(1_200)] }
  await countOf(emulator, body)
  emulator.advance(11 * minute)
  expect((await countOf(emulator, body)).cached).toBe(0)
})

test.each([
  ['gpt-5.5', 'in_memory'],
  ['gpt-5.5-pro', 'in_memory'],
  ['gpt-5.6-sol', 'in_memory'],
  ['gpt-6.1-sol', 'in_memory'],
])('P-2 %s refuses prompt_cache_retention %s', async (model, prompt_cache_retention) => {
  const emulator = await anEmulator({ kind: 'openai' })
  const { status, json } = await post(emulator, chat, { model, prompt_cache_retention, messages: [say('user', 'x')] })
  expect(status).toBe(400)
  expect(json).toMatchObject({ error: { param: 'prompt_cache_retention', code: 'invalid_parameter' } })
})

test('P-2 from 5.6 the ending of the last message is written, counted, and read by the next turn', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const first = userTokens(2_000)
  expect(await countOf(emulator, { model: recent, messages: [first] })).toEqual({
    prompt: 2_000,
    cached: 0,
    written: 2_000,
  })
  const messages = [first, say('assistant', textOfTokens(97)), userTokens(50)]
  expect(await countOf(emulator, { model: recent, messages })).toEqual({ prompt: 2_150, cached: 2_000, written: 150 })
})

test('P-2 from 5.6 nothing is written below 1,024 tokens', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  expect((await countOf(emulator, { model: recent, messages: [userTokens(1_023)] })).written).toBe(0)
  expect((await countOf(emulator, { model: recent, messages: [userTokens(1_024)] })).written).toBe(1_024)
})

test('P-2 from 5.6 a shared beginning is read only where a breakpoint ends it', async () => {
  for (const [marked, cached] of [
    [false, 0],
    [true, 2_001],
  ] as const) {
    const emulator = await anEmulator({ kind: 'openai' })
    const ask = (question: string): object => ({
      model: recent,
      messages: [say('user', [part(textOfTokens(2_000), marked), part(question)])],
    })
    await countOf(emulator, ask('one'))
    expect((await countOf(emulator, ask('two'))).cached).toBe(cached)
  }
})

test('P-2 explicit mode without a breakpoint is off, and a change of mode misses', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const off = { model: recent, ...explicit, messages: [userTokens(2_000)] }
  for (let turn = 0; turn < 2; turn += 1) expect(await countOf(emulator, off)).toMatchObject({ cached: 0, written: 0 })
  const marked = { model: recent, messages: [say('user', [part(textOfTokens(1_999), true)])] }
  expect((await countOf(emulator, marked)).written).toBe(2_000)
  expect(await countOf(emulator, { ...marked, ...explicit })).toMatchObject({ cached: 0, written: 2_000 })
  expect(await countOf(emulator, { ...marked, ...explicit })).toMatchObject({ cached: 2_000, written: 0 })
})

test('P-2 at most four breakpoints are written, in implicit mode the latest three and the ending', async () => {
  const parts = Array.from({ length: 6 }, (_, index) => part(textOfTokens(1_100, `p${index}`), true))
  const firstParts = (count: number): object[] => [say('user', parts.slice(0, count))]
  for (const [options, oldest] of [
    [explicit, 3],
    [{}, 4],
  ] as const) {
    const emulator = await anEmulator({ kind: 'openai' })
    await countOf(emulator, { model: recent, ...options, messages: [say('user', [...parts, part('end')])] })
    const entries = (await (await fetch(`${emulator.url}/admin/cache`)).json()) as { entries: { tokens: number }[] }
    const writes = entries.entries.map(({ tokens }) => tokens)
    expect(writes).toHaveLength(4)
    expect(Math.min(...writes)).toBe(1 + 1_100 * oldest)
    expect((await countOf(emulator, { model: recent, ...options, messages: firstParts(oldest) })).cached).toBe(
      1 + 1_100 * oldest,
    )
  }
})

test('P-2 of several tool outputs in a row the end of the last one is written', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const calls = ['a', 'b'].map((id) => ({ id, type: 'function', function: { name: 'find', arguments: '{}' } }))
  const outputs = calls.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: textOfTokens(100) }))
  const messages = [userTokens(2_000), { role: 'assistant', tool_calls: calls }, ...outputs]
  const { prompt, written } = await countOf(emulator, { model: recent, messages })
  expect(written).toBe(prompt)
  const { entries } = (await (await fetch(`${emulator.url}/admin/cache`)).json()) as { entries: { tokens: number }[] }
  expect(entries.map(({ tokens }) => tokens)).toEqual([prompt])
  // Twenty groups of two outputs: if each output were an ending, the first group would be out of reach.
  const groups = Array.from({ length: 19 }, () => messages.slice(1)).flat()
  expect((await countOf(emulator, { model: recent, messages: [...messages, ...groups, userTokens(5)] })).cached).toBe(
    prompt,
  )
})

test.each([
  [20, 2_000],
  [21, 0],
])(
  'P-2 behind %i further user messages %i tokens are read: twenty endings before the last are looked up',
  async (further, cached) => {
    const emulator = await anEmulator({ kind: 'openai' })
    const first = userTokens(2_000)
    await countOf(emulator, { model: recent, messages: [first] })
    const messages = [first, ...Array.from({ length: further }, (_, index) => userTokens(5, `m${index}`))]
    expect((await countOf(emulator, { model: recent, messages })).cached).toBe(cached)
  },
)

test.each([
  [52, 3],
  [53, 2],
])('P-2 of %i breakpoints the first two and the latest fifty are looked up: %i parts are read', async (count, read) => {
  const emulator = await anEmulator({ kind: 'openai' })
  const parts = Array.from({ length: count }, (_, index) =>
    part(textOfTokens(index < 3 ? 1_100 : 5, `p${index}`), true),
  )
  const ask = (some: object[]): Promise<Counted> =>
    countOf(emulator, { model: recent, ...explicit, messages: [say('user', some)] })
  await ask(parts.slice(0, 3))
  expect((await ask(parts)).cached).toBe(1 + 1_100 * read)
})

test('P-2 from 5.6 an entry lives 30 minutes after its last use', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const body = { model: recent, messages: [userTokens(2_000)] }
  await countOf(emulator, body)
  for (let turn = 0; turn < 3; turn += 1) {
    emulator.advance(29 * minute)
    expect(await countOf(emulator, body)).toMatchObject({ cached: 2_000, written: 0 })
  }
  emulator.advance(30 * minute)
  expect((await countOf(emulator, body)).cached).toBe(0)
})

test('P-2 a ttl of 12 hours is taken by one model, in Responses', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const body = { model: 'gpt-6.1-terra', input: textOfTokens(2_000), prompt_cache_options: { ttl: '12h' } }
  const cached = async (): Promise<unknown> =>
    ((await post(emulator, '/v1/responses', body)).json['usage'] as Record<string, unknown>)['input_tokens_details']
  expect(await cached()).toEqual({ cached_tokens: 0, cache_write_tokens: 2_001 })
  emulator.advance(11 * hour)
  expect(await cached()).toEqual({ cached_tokens: 2_001, cache_write_tokens: 0 })
  expect((await post(emulator, '/v1/responses', { ...body, model: recent })).status).toBe(400)
  const inChat = { model: 'gpt-6.1-terra', prompt_cache_options: { ttl: '12h' }, messages: [say('user', 'x')] }
  expect((await post(emulator, chat, inChat)).status).toBe(400)
})

test('P-2 prewarm writes and says nothing', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const body = { model: recent, input: textOfTokens(2_000) }
  const warm = await post(emulator, '/v1/responses', { ...body, prompt_cache_options: { prewarm: true } })
  expect(warm.json).toMatchObject({
    output: [],
    usage: { output_tokens: 0, input_tokens_details: { cache_write_tokens: 2_001 } },
  })
  const { json } = await post(emulator, '/v1/responses', body)
  expect(json).toMatchObject({ usage: { input_tokens_details: { cached_tokens: 2_001, cache_write_tokens: 0 } } })
})

test('P-2 D-37 more than 15 requests a minute for one opening and key overflow to a cold machine', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const ask = (index: number, key: string): Promise<Counted> =>
    countOf(emulator, { model: old, prompt_cache_key: key, messages: [userTokens(1_200), userTokens(5, `q${index}`)] })
  const reads: number[] = []
  for (let index = 0; index < 16; index += 1) reads.push((await ask(index, 'a')).cached)
  expect(reads).toEqual([0, ...Array.from({ length: 14 }, () => 1_152), 0])
  emulator.advance(minute)
  expect((await ask(99, 'a')).cached).toBe(1_152)
  expect((await ask(0, 'b')).cached).toBe(0)
})

const basis = {
  model: recent,
  tools: [{ type: 'function', function: { name: 'find', parameters: { type: 'object' } } }],
  messages: [say('developer', textOfTokens(1_500)), userTokens(500)],
}
const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}`, detail: 'low' } }

test.each<[string, boolean, object]>([
  ['nothing', true, {}],
  ['tool_choice none', true, { tool_choice: 'none' }],
  ['temperature', true, { temperature: 0.2 }],
  ['the model', false, { model: 'gpt-6-sol' }],
  ['service_tier', false, { service_tier: 'priority' }],
  ['prompt_cache_key', false, { prompt_cache_key: 'other' }],
  [
    'a tool description',
    false,
    { tools: [{ type: 'function', function: { name: 'find', description: 'x', parameters: { type: 'object' } } }] },
  ],
  ['parallel_tool_calls', false, { parallel_tool_calls: false }],
  [
    'the response format',
    false,
    { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } } },
  ],
  ['reasoning_effort', false, { reasoning_effort: 'low' }],
  ['verbosity', false, { verbosity: 'low' }],
  ['an image before the text', false, { messages: [say('user', [image]), ...basis.messages] }],
  [
    'text added to the last message',
    false,
    { messages: [basis.messages[0], say('user', `${textOfTokens(499)} more`)] },
  ],
])('P-2 P-9 P-10 changing %s keeps the prefix: %s', async (_name, kept, change) => {
  const emulator = await anEmulator({ kind: 'openai' })
  const cold = await countOf(emulator, basis)
  const { cached } = await countOf(emulator, { ...basis, ...change })
  expect(cached).toBe(kept ? cold.prompt : 0)
})

test('P-6 caches are shared in an organisation and never across', async () => {
  const keys = { a: { org: 'acme' }, b: { org: 'acme' }, c: { org: 'globex' } }
  const emulator = await anEmulator({ kind: 'openai', options: { keys } })
  for (const model of [old, recent]) {
    const body = { model, messages: [userTokens(2_000)] }
    const readBy = async (key: string): Promise<number> =>
      (await countOf(emulator, body, { authorization: `Bearer ${key}` })).cached
    expect(await readBy('a')).toBe(0)
    expect(await readBy('b')).toBeGreaterThan(0)
    expect(await readBy('c')).toBe(0)
  }
})

test('P-2 diagnostics name what changed since another response', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const body = { model: recent, input: textOfTokens(2_000) }
  const first = await post(emulator, '/v1/responses', body)
  const compared = async (change: object, id: unknown = first.json['id']): Promise<unknown> =>
    (
      await post(emulator, '/v1/responses', {
        ...body,
        ...change,
        prompt_cache_options: { comparison_response_id: id },
      })
    ).json['prompt_cache_diagnostics']
  expect(await compared({})).toEqual({
    type: 'cache_hit',
    reason: null,
    comparison_reusable_tokens: 2_001,
    cache_missed_tokens: 0,
  })
  expect(await compared({ reasoning: { effort: 'low' } })).toMatchObject({
    type: 'cache_miss',
    reason: 'reasoning_effort_changed',
    cache_missed_tokens: 2_001,
  })
  expect(await compared({ prompt_cache_key: 'k' })).toMatchObject({ reason: 'prompt_cache_key_changed' })
  expect(await compared({ input: 'other' })).toMatchObject({ reason: 'input_changed' })
  expect(await compared({}, 'resp_none')).toEqual({ type: 'comparison_response_not_found' })
})

test.each<[string, object, string, string]>([
  ['options on an earlier model', { model: old, ...explicit }, 'prompt_cache_options', 'unsupported_parameter'],
  [
    'a breakpoint on an earlier model',
    { model: old, messages: [say('user', [part('x', true)])] },
    'messages[0].content[0].prompt_cache_breakpoint',
    'unsupported_parameter',
  ],
  ['a mode that is none', { prompt_cache_options: { mode: 'auto' } }, 'prompt_cache_options.mode', 'invalid_value'],
  ['prewarm in chat', { prompt_cache_options: { prewarm: true } }, 'prompt_cache_options.prewarm', 'unknown_parameter'],
  [
    'a breakpoint on a tool',
    { tools: [{ type: 'function', function: { name: 'x' }, prompt_cache_breakpoint: {} }] },
    'tools[0].prompt_cache_breakpoint',
    'unknown_parameter',
  ],
  [
    'cache_control',
    { messages: [say('user', [{ type: 'text', text: 'x', cache_control: {} }])] },
    'messages[0].content[0].cache_control',
    'unknown_parameter',
  ],
  [
    'a field of our own on a message',
    { messages: [{ role: 'user', content: 'x', incipit: {} }] },
    'messages[0].incipit',
    'unknown_parameter',
  ],
  [
    'tools on the model that wants Responses',
    { model: 'gpt-6.1-terra', tools: [{ type: 'function', function: { name: 'x' } }] },
    'tools',
    'unsupported_parameter',
  ],
])('P-2 %s is refused', async (_name, change, param, code) => {
  const emulator = await anEmulator({ kind: 'openai' })
  const { status, json } = await post(emulator, chat, { model: recent, messages: [say('user', 'x')], ...change })
  expect(status).toBe(400)
  expect(json).toMatchObject({ error: { type: 'invalid_request_error', param, code } })
})

test('P-2 cached and written tokens never exceed the prompt, and a repetition reads all that was written', async () => {
  const emulator = await anEmulator({ kind: 'openai', options: { overflowRpm: 1e6 } })
  const message = fc.record({
    role: fc.constantFrom('user', 'developer', 'assistant'),
    tokens: fc.integer({ min: 1, max: 1_500 }),
    marked: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), async (messages) => {
      const body = {
        model: recent,
        messages: messages.map(({ role, tokens, marked }) => say(role, [part(textOfTokens(tokens, role), marked)])),
      }
      const [cold, warm] = [await countOf(emulator, body), await countOf(emulator, body)]
      expect(cold.cached + (cold.written ?? NaN)).toBeLessThanOrEqual(cold.prompt)
      expect(warm).toEqual({ prompt: cold.prompt, cached: cold.cached + (cold.written ?? NaN), written: 0 })
    }),
    { numRuns: 60 },
  )
})
