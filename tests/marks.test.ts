import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { bodyOf, schemaBytes } from './support/matrix/bodies.ts'
import type { Json } from './support/matrix/sent-body.ts'
import { jsonOf, marksOf } from './support/matrix/sent-body.ts'
import type { Source } from './support/matrix/targets.ts'
import { pathFor, sources } from './support/matrix/targets.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { answerShortly, sendJson, startRecordingUpstream } from './support/recording-upstream.ts'

const mark = { type: 'ephemeral' } as const
const hour = { type: 'ephemeral', ttl: '1h' } as const

let gateway: ServerProcess
let upstream: RecordingUpstream

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const at = (name: string, kind: string, models: string) => ({
    name,
    url: upstream.url,
    settings: `kind: ${kind}, api_key: sk-test, models: ["${models}"]`,
  })
  gateway = await startGateway([
    at('anthropic', 'anthropic', 'claude-*'),
    at('openai', 'openai', 'gpt-*'),
    at('openrouter', 'openrouter', '*/*'),
    at('vllm', 'vllm', 'local-*'),
  ])
})
beforeEach(() => {
  upstream.requests.length = 0
  upstream.answer = answerShortly
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

test('D-3 bodies of the Anthropic family are sent as tools, system, messages, whatever dialect they came in', async () => {
  for (const source of sources.filter((source) => source !== 'anthropic-messages')) {
    const { text } = await send(source, bodyOf(source, { model: 'claude-opus-5' }), 'claude-opus-5')
    const order = ['"tools":', '"system":', '"messages":'].map((name) => text.indexOf(name))
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(order.every((at) => at > 0)).toBe(true)
    expect(Object.keys(JSON.parse(text) as object).at(-1)).toBe('messages')
  }
})

test('D-4 a schema keeps its bytes: of a tool, of the answer, in every pair of dialects', async () => {
  const asks: Readonly<Record<Source, object>> = {
    'openai-chat': { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: '@@schema' } } },
    'workers-ai': { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: '@@schema' } } },
    'openai-responses': { text: { format: { type: 'json_schema', name: 'x', schema: '@@schema' } } },
    'anthropic-messages': { output_config: { format: { type: 'json_schema', schema: '@@schema' } } },
  }
  for (const source of sources) {
    for (const model of ['claude-opus-5', 'gpt-6-sol', 'local-x']) {
      const { text } = await send(source, bodyOf(source, { model, more: { ...asks[source] } }), model)
      expect(text.split(schemaBytes)).toHaveLength(3)
    }
  }
})

test('D-12 a model gets marks where it takes them: models before breakpoints get none, and say so', async () => {
  const marked = (model: string): string =>
    bodyOf('anthropic-messages', { model, mark: { at: 'user', json: mark, member: 'cache_control' } })
  const newer = await send('anthropic-messages', marked('gpt-6-sol'), 'gpt-6-sol')
  expect(newer.text).toContain('"prompt_cache_breakpoint":{"mode":"explicit"}')
  const older = await send('anthropic-messages', marked('gpt-4o'), 'gpt-4o')
  expect(older.text).not.toMatch(/cache_control|prompt_cache_/)
  expect(older.warnings).toContain('mark_not_carried: /messages/0/content/0')
})

test('D-13 of more marks than four the client’s first to go are those that hold least; lives stay', async () => {
  const text = (index: number) => ({ type: 'text', text: `part ${index}`, cache_control: index === 0 ? hour : mark })
  const body = JSON.stringify({
    model: 'claude-opus-5',
    max_tokens: 9,
    tools: [{ name: 'find', input_schema: { type: 'object' }, cache_control: hour }],
    system: [{ type: 'text', text: 'rules', cache_control: hour }],
    messages: [{ role: 'user', content: [0, 1, 2, 3].map(text) }],
  })
  const { text: sent, warnings, edits } = await send('anthropic-messages', body, 'claude-opus-5')
  const kept = JSON.parse(sent) as { tools: Json[]; system: Json[]; messages: { content: Json[] }[] }
  expect(marksOf(kept as unknown as Json)).toHaveLength(4)
  expect([kept.tools[0], kept.system[0]]).toMatchObject([{ cache_control: hour }, { cache_control: hour }])
  expect(kept.messages[0]?.content.at(-1)).toMatchObject({ text: 'part 3', cache_control: mark })
  expect(warnings.filter((warning) => warning.startsWith('mark_dropped: /messages/0/content/'))).toHaveLength(2)
  expect(edits).toEqual(['drop-mark', 'drop-mark'])
})

test('D-13 D-14 never more than four marks leave, in any dialect, and each one that does not is named', async () => {
  const parameters = fc.record({
    source: fc.constantFrom(...sources),
    model: fc.constantFrom('claude-opus-5', 'gpt-6-sol', 'anthropic/claude-opus-5'),
    turns: fc.array(fc.tuple(fc.constantFrom('user', 'result', 'pair'), fc.boolean()), { minLength: 1, maxLength: 9 }),
    system: fc.boolean(),
    tool: fc.boolean(),
  })
  const property = fc.asyncProperty(parameters, async ({ source, model, turns, system, tool }) => {
    const { body, count } = manyMarks(source, { model, turns, system, tool })
    const { text, warnings } = await send(source, body, model)
    const left = marksOf(JSON.parse(text) as Json).filter(({ at }) => at !== 'top')
    expect(left.length).toBeLessThanOrEqual(4)
    const gone = warnings.filter((warning) => /^mark_(?:dropped|not_carried): \/(?!cache_control)/.test(warning)).length
    const moved = warnings.filter((warning) => warning.startsWith('mark_moved')).length
    // A mark that moved to a marked block is one with it.
    expect(left.length + gone).toBeLessThanOrEqual(count)
    expect(left.length + gone + moved).toBeGreaterThanOrEqual(passes(source, model) ? left.length : count)
  })
  await fc.assert(property, { numRuns: 120, seed: 1_413 })
})

test('D-14 one marked tool message stays one mark, though its dialect turns it into several blocks', async () => {
  const body = JSON.stringify({
    model: 'claude-opus-5',
    max_tokens: 9,
    messages: [
      { role: 'user', content: 'look' },
      {
        role: 'assistant',
        content: null,
        tool_calls: ['a', 'b', 'c'].map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })),
      },
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: 'two' },
      {
        role: 'tool',
        tool_call_id: 'c',
        content: [
          { type: 'text', text: 'three' },
          { type: 'text', text: 'four' },
        ],
        cache_control: mark,
      },
    ],
  })
  const { text } = await send('openai-chat', body, 'claude-opus-5')
  const { messages } = JSON.parse(text) as { messages: { content: Record<string, unknown>[] }[] }
  expect(messages.at(-1)?.content.map((block) => block['cache_control'])).toEqual([undefined, undefined, mark])
})

const refusal = {
  type: 'error',
  error: {
    type: 'invalid_request_error',
    message: 'messages.0.content.0.text.cache_control: Extra inputs are not permitted',
  },
}

test('D-14 an upstream that refuses marks of ours is asked once more without any, and the caller is told', async () => {
  upstream.answer = (request, response) => {
    if (request.body.includes('cache_control')) sendJson(response, refusal, 400)
    else answerShortly(request, response)
  }
  const body = bodyOf('openai-chat', {
    model: 'claude-opus-5',
    mark: { at: 'user', json: mark, member: 'cache_control' },
  })
  const { response, warnings } = await send('openai-chat', body, 'claude-opus-5')
  expect(response.status).toBe(200)
  expect(upstream.requests).toHaveLength(2)
  expect(upstream.requests[1]?.body.includes('cache_control')).toBe(false)
  expect(warnings).toContain('marks_stripped: cache_control')
  expect(await attemptsOf(response)).toMatchObject([{ status: 400, error_code: 'marks_refused' }])
})

test('D-14 marks that were moved and then refused are all taken out: what the client wrote was worse', async () => {
  upstream.answer = (request, response) => {
    if (request.body.includes('cache_control')) sendJson(response, refusal, 400)
    else answerShortly(request, response)
  }
  const body = emptyMarked()
  const { response, text, edits, warnings } = await send('anthropic-messages', body, 'claude-opus-5')
  expect(response.status).toBe(200)
  expect(upstream.requests).toHaveLength(2)
  expect(text).toBe(body.replace(`,"cache_control":${JSON.stringify(mark)}`, ''))
  expect(edits).toEqual(['strip-mark'])
  expect(warnings).toContain('marks_stripped: cache_control')
})

test('D-14 an upstream that refuses whatever it is sent is asked twice, and its own words come back', async () => {
  upstream.answer = (_request, response) => sendJson(response, refusal, 400)
  const body = emptyMarked()
  const { response, answer } = await send('anthropic-messages', body, 'claude-opus-5')
  expect([response.status, answer]).toEqual([400, JSON.stringify(refusal)])
  expect(upstream.requests).toHaveLength(2)
})

test('D-14 a legal mark of the client that an upstream refuses is the client’s own affair', async () => {
  upstream.answer = (_request, response) => sendJson(response, refusal, 400)
  const body = bodyOf('anthropic-messages', {
    model: 'claude-opus-5',
    mark: { at: 'user', json: mark, member: 'cache_control' },
  })
  const { response, answer, text } = await send('anthropic-messages', body, 'claude-opus-5')
  expect([response.status, answer, text]).toEqual([400, JSON.stringify(refusal), body])
  expect(upstream.requests).toHaveLength(1)
})

test('D-15 translated lives never grow behind a shorter one; a bare mark counts as five minutes', async () => {
  const body = JSON.stringify({
    model: 'claude-opus-5',
    max_tokens: 9,
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'rules', cache_control: mark }] },
      { role: 'user', content: [{ type: 'text', text: 'question', cache_control: hour }] },
    ],
  })
  const { text, warnings } = await send('openai-chat', body, 'claude-opus-5')
  const lives = marksOf(JSON.parse(text) as Json)
    .filter(({ at }) => at !== 'top')
    .map(({ ttl }) => ttl ?? '5m')
  expect(lives).toEqual(lives.toSorted((a, b) => (a === b ? 0 : a === '1h' ? -1 : 1)))
  expect(lives).toHaveLength(2)
  expect(warnings.some((warning) => warning.startsWith('ttl_changed: /messages/'))).toBe(true)
})

test('D-15 a wrong order that the client wrote leaves as it wrote it, with a warning', async () => {
  const body = JSON.stringify({
    model: 'claude-opus-5',
    max_tokens: 9,
    system: [{ type: 'text', text: 'rules', cache_control: mark }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'question', cache_control: hour }] }],
  })
  const { text, warnings } = await send('anthropic-messages', body, 'claude-opus-5')
  expect(text).toBe(body)
  expect(warnings).toContain('mark_order: /messages/0/content/0')
})

test.each([
  ['D-16 an empty text block', { type: 'text', text: '' }],
  ['D-17 a thinking block', { type: 'thinking', thinking: 'hm', signature: 'c2ln' }],
  ['D-17 a redacted thinking block', { type: 'redacted_thinking', data: 'c2ln' }],
])('%s takes no mark: it moves to the block before, and nothing else changes', async (_name, block) => {
  const before = { type: 'text', text: 'before' }
  const bodyWith = (first: object, second: object): string =>
    JSON.stringify({
      model: 'claude-opus-5',
      max_tokens: 9,
      messages: [
        { role: 'user', content: 'hello' },
        { role: 'assistant', content: [first, second] },
        { role: 'user', content: 'more' },
      ],
    })
  const { text, warnings, edits } = await send(
    'anthropic-messages',
    bodyWith(before, { ...block, cache_control: hour }),
    'claude-opus-5',
  )
  expect(text).toBe(bodyWith({ ...before, cache_control: hour }, block))
  expect(warnings.filter((warning) => !warning.startsWith('below_minimum'))).toEqual([
    'mark_moved: /messages/1/content/1',
  ])
  expect(edits.toSorted()).toEqual(['drop-mark', 'move-mark'])
})

test('D-18 a tool that is loaded later takes no mark: it moves to the tool before', async () => {
  const tool = (name: string, more: object): object => ({ name, input_schema: { type: 'object' }, ...more })
  const bodyWith = (first: object, second: object): string =>
    JSON.stringify({
      model: 'claude-opus-5',
      max_tokens: 9,
      tools: [tool('a', first), tool('b', { defer_loading: true, ...second })],
      messages: [{ role: 'user', content: 'hello' }],
    })
  const { text, warnings } = await send('anthropic-messages', bodyWith({}, { cache_control: mark }), 'claude-opus-5')
  expect(text).toBe(bodyWith({ cache_control: mark }, {}))
  expect(warnings).toContain('mark_moved: /tools/1')
})

test('D-16 D-17 D-18 translated marks keep to the same blocks', async () => {
  const body = JSON.stringify({
    model: 'claude-opus-5',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'before' }] },
      { role: 'assistant', content: [{ type: 'text', text: '', cache_control: mark }] },
      { role: 'user', content: 'more' },
    ],
  })
  const { text, warnings } = await send('openai-chat', body, 'claude-opus-5')
  const { messages } = JSON.parse(text) as { messages: { content: Json[] }[] }
  expect(messages[0]?.content[0]).toMatchObject({ text: 'before', cache_control: mark })
  expect(warnings).toContain('mark_moved: /messages/1/content/0')
})

test.each([
  ['claude-opus-4-8', 'claude-opus-4-8', 1_024],
  ['claude-haiku-4-5', 'claude-haiku-4-5', 4_096],
  ['gpt-6-sol', 'gpt-6-sol', 1_024],
  ['anthropic/claude-opus-4.8', 'anthropic/claude-opus-4.8', 1_024],
])(
  'D-22 a marked prefix clearly below the minimum of %s is named, one that may be enough is not',
  async (_name, model, minimum) => {
    const ask = async (bytes: number): Promise<string> => {
      const body = JSON.stringify({
        model,
        max_tokens: 9,
        system: [{ type: 'text', text: 'x'.repeat(bytes), cache_control: mark }],
        messages: [{ role: 'user', content: 'hello'.repeat(5_000) }],
      })
      const { response } = await send('anthropic-messages', body, model)
      return response.headers.get('x-incipit-warnings') ?? ''
    }
    const warned = await ask(minimum)
    expect(warned).toMatch(new RegExp(`below_minimum: /system/0 \\(\\d+ < ${minimum} tokens \\(estimated\\)\\)`))
    expect(await ask(minimum * 2 + 200)).not.toContain('below_minimum')
  },
)

test('D-22 where bytes say little of tokens, or nothing is known of the model, no verdict is given', async () => {
  const asked = async (model: string, content: object[]): Promise<readonly string[]> => {
    const body = JSON.stringify({ model, max_tokens: 9, messages: [{ role: 'user', content }] })
    return (await send('anthropic-messages', body, model)).warnings
  }
  const text = { type: 'text', text: 'short', cache_control: mark }
  const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }
  expect(await asked('claude-opus-4-8', [text])).toEqual(['below_minimum: /messages/0/content/0'])
  expect(await asked('claude-opus-4-8', [image, text])).toEqual([])
  expect(await asked('claude-unheard-of', [text])).toEqual([])
  expect(await asked('claude-opus-4-8', [{ type: 'text', text: 'short' }])).toEqual([])
  expect(await asked('local-x', [text])).toEqual(['mark_not_carried: /messages/0/content/0'])
})

/** A mark on an empty text, which is repaired before it leaves. */
function emptyMarked(): string {
  return JSON.stringify({
    model: 'claude-opus-5',
    max_tokens: 9,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'before' },
          { type: 'text', text: '', cache_control: mark },
        ],
      },
    ],
  })
}

/** Whether the bytes of a client go on as they are, marks and all. */
function passes(source: Source, model: string): boolean {
  if (source === 'anthropic-messages') return model === 'claude-opus-5'
  return source !== 'workers-ai' && model !== 'claude-opus-5'
}

interface ManyMarks {
  readonly model: string
  readonly turns: readonly (readonly [string, boolean])[]
  readonly system: boolean
  readonly tool: boolean
}

/** A conversation with marks wherever asked for: at most four, where the dialect passes as it is. */
function manyMarks(source: Source, wanted: ManyMarks): { body: string; count: number } {
  let count = 0
  const free = passes(source, wanted.model) && source !== 'anthropic-messages' ? 4 : Infinity
  const member =
    source === 'openai-responses' ? { prompt_cache_breakpoint: { mode: 'explicit' } } : { cache_control: mark }
  const marked = (isWanted: boolean): object => (isWanted && count < free && ++count > 0 ? member : {})
  const system = marked(wanted.system)
  const tool = source === 'openai-responses' ? {} : marked(wanted.tool)
  const type = source === 'openai-responses' ? 'input_text' : 'text'
  const turns = wanted.turns.flatMap(([kind, isMarked], index): object[] => {
    const id = `call_${index}`
    const text = { type, text: `turn ${index}` }
    if (kind === 'user') return [{ role: 'user', content: [{ ...text, ...marked(isMarked) }] }]
    if (kind === 'pair')
      return [
        {
          role: 'user',
          content: [
            { ...text, ...marked(isMarked) },
            { ...text, ...marked(isMarked) },
          ],
        },
      ]
    switch (source) {
      case 'openai-responses':
        return [
          { type: 'function_call', call_id: id, name: 'f', arguments: '{}' },
          { type: 'function_call_output', call_id: id, output: [{ ...text, ...marked(isMarked) }] },
        ]
      case 'anthropic-messages':
        return [
          { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: {} }] },
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: id, content: 'x', ...marked(isMarked) }],
          },
        ]
      default:
        return [
          { role: 'assistant', tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }] },
          { role: 'tool', tool_call_id: id, content: [{ ...text, ...marked(isMarked) }] },
        ]
    }
  })
  const { model } = wanted
  const rules = { type, text: 'rules', ...system }
  const schema = { type: 'object' }
  switch (source) {
    case 'anthropic-messages':
      return {
        count,
        body: JSON.stringify({
          model,
          max_tokens: 9,
          tools: [{ name: 'f', input_schema: schema, ...tool }],
          system: [rules],
          messages: [{ role: 'user', content: 'begin' }, ...turns],
        }),
      }
    case 'openai-responses':
      return { count, body: JSON.stringify({ model, input: [{ role: 'developer', content: [rules] }, ...turns] }) }
    default:
      return {
        count,
        body: JSON.stringify({
          model,
          tools: [{ type: 'function', function: { name: 'f', parameters: schema }, ...tool }],
          messages: [{ role: 'system', content: [rules] }, ...turns],
        }),
      }
  }
}

interface Sent {
  readonly response: Response
  readonly answer: string
  /** The last body that reached the upstream. */
  readonly text: string
  readonly warnings: readonly string[]
  readonly edits: readonly string[]
}

async function send(source: Source, body: string, model: string): Promise<Sent> {
  const response = await fetch(`${gateway.url}${pathFor(source, model)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const answer = await response.text()
  const id = response.headers.get('x-incipit-request-id')
  const event = (await (await fetch(`${gateway.url}/v1/events/${id}?fields=warnings,edits`)).json()) as {
    warnings: string[]
    edits: string[]
  } // the API's documented shape
  const last = upstream.requests.at(-1)
  if (last === undefined) throw new Error(`nothing was sent: ${response.status} ${answer}`)
  jsonOf(last)
  return { response, answer, text: last.body.toString('utf8'), ...event }
}

async function attemptsOf(response: Response): Promise<unknown[]> {
  const id = response.headers.get('x-incipit-request-id')
  const page = (await (await fetch(`${gateway.url}/v1/events?limit=50`)).json()) as { data: { parent_id: string }[] }
  return page.data.filter((event) => event.parent_id === id)
}
