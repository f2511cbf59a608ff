import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block, CacheMark, Conversation, Tool, Turn } from '../../domain/conversation.ts'
import type { MarkRules, WriteTarget } from '../../domain/dialect.ts'
import { encode } from '../testing/generations.ts'
import { createOpenaiResponses } from './index.ts'

const dialect = createOpenaiResponses()
const marks: MarkRules = { field: 'prompt_cache_breakpoint', max: 4, ttls: ['30m', '12h'], automatic: true }
const target: WriteTarget = { model: 'gpt', marks }
const noMarks: WriteTarget = { model: 'gpt', marks: { field: 'none', max: 0, ttls: [], automatic: false } }

const read = (body: unknown): Conversation => dialect.read(dialect.parse(encode(body), {}))
const unsaid = read({ model: 'demo', input: 'x' }).settings

/** A conversation as another dialect reads it. */
function foreign(fields: Partial<Conversation>): Conversation {
  return {
    model: 'demo',
    stream: false,
    tools: [],
    turns: [turn('user', text('hello'))],
    settings: unsaid,
    cache: { key: undefined, retention: undefined, mode: undefined, automatic: undefined },
    extras: [],
    warnings: [],
    ...fields,
  }
}

let blocks = 0
const pointer = (): string => `/messages/${blocks++}`
const turn = (role: Turn['role'], ...blocks: Block[]): Turn => ({ role, pointer: pointer(), name: undefined, blocks })
const text = (text: string, mark?: CacheMark): Block => ({ kind: 'text', pointer: pointer(), text, mark })
const bare: CacheMark = { ttl: undefined }
const tool = (mark?: CacheMark): Tool => ({
  kind: 'function',
  pointer: '/tools/0',
  name: 'f',
  description: undefined,
  schemaJson: '{"z":1.0, "a":2}',
  strict: undefined,
  deferLoading: false,
  mark,
})

interface Written {
  readonly text: string
  readonly body: Readonly<Record<string, unknown>> & { readonly input: readonly Readonly<Record<string, unknown>>[] }
  /** Code and place of each warning. */
  readonly warnings: readonly (readonly [string, string])[]
}

function write(conversation: Conversation, to: WriteTarget = target): Written {
  const { body, warnings } = dialect.write(conversation, to)
  const text = new TextDecoder().decode(body)
  return { text, body: JSON.parse(text) as Written['body'], warnings: warnings.map(({ code, where }) => [code, where]) }
}

const breakpoint = { prompt_cache_breakpoint: { mode: 'explicit' } }

test('settings come first, then tools, then the input; a translated request is not stored', () => {
  const { text: body } = write(
    foreign({
      stream: true,
      tools: [tool()],
      turns: [turn('system', text('Rules.')), turn('user', text('hello'))],
      settings: { ...unsaid, maxOutputTokens: 100, temperature: 0.5, toolChoice: { name: 'f' }, user: 'u' },
    }),
  )
  expect(body).toBe(
    '{"model":"gpt","stream":true,"store":false,"max_output_tokens":100,"temperature":0.5,' +
      '"tool_choice":{"type":"function","name":"f"},"user":"u",' +
      '"tools":[{"type":"function","name":"f","parameters":{"z":1.0, "a":2},"strict":false}],' +
      '"input":[{"type":"message","role":"system","content":"Rules."},{"type":"message","role":"user","content":"hello"}]}',
  )
})

test('D-1 equal conversations give equal bytes', () => {
  const conversation = foreign({
    tools: [tool(bare)],
    turns: [turn('system', text('Rules.', bare)), turn('user', text('x'))],
  })
  const bodies = Array.from({ length: 100 }, () => write(structuredClone(conversation)).text)
  expect(new Set(bodies).size).toBe(1)
})

test('D-4 D-9 schemas and arguments keep the bytes of the client', () => {
  const schemaJson = '{"type":"object", "properties":{"z":{}, "a":{"const":1.0}}}'
  const { text: body, warnings } = write(
    foreign({
      tools: [tool()],
      turns: [
        turn('assistant', { kind: 'tool-call', pointer: '/p', id: 'c', name: 'f', arguments: '{ "z":1.0,"a":"é"}' }),
      ],
      settings: {
        ...unsaid,
        format: { kind: 'schema', name: undefined, description: undefined, schemaJson, strict: undefined },
      },
    }),
  )
  expect(body).toContain(`"text":{"format":{"type":"json_schema","name":"answer","schema":${schemaJson}}}`)
  expect(body).toContain('"parameters":{"z":1.0, "a":2}')
  expect(body).toContain(String.raw`"arguments":"{ \"z\":1.0,\"a\":\"é\"}"`)
  expect(warnings).toEqual([['value_defaulted', 'text.format.name']])
})

test('what another dialect says has its item here', () => {
  const { body, warnings } = write(
    foreign({
      turns: [
        turn(
          'user',
          {
            kind: 'image',
            pointer: '/p',
            source: { kind: 'base64', mediaType: 'image/png', data: 'AA' },
            detail: 'low',
          },
          {
            kind: 'document',
            pointer: '/p',
            source: { kind: 'url', url: 'https://example.com/a.pdf' },
            title: undefined,
          },
          { kind: 'audio', pointer: '/p', data: 'BB', format: 'wav' },
        ),
        turn('assistant', text('Looking.'), { kind: 'refusal', pointer: '/p', text: 'No.' }),
        turn('assistant', text('Calling.'), { kind: 'tool-call', pointer: '/p', id: 'c', name: 'f', arguments: '{}' }),
        turn('tool', {
          kind: 'tool-result',
          pointer: '/p',
          callId: 'c',
          blocks: [text('4'), text('2')],
          isError: false,
        }),
        turn('tool', { kind: 'tool-result', pointer: '/p', callId: 'd', blocks: [], isError: false }),
      ],
    }),
  )
  expect(warnings).toEqual([])
  expect(body.input).toEqual([
    {
      type: 'message',
      role: 'user',
      content: [
        { type: 'input_image', image_url: 'data:image/png;base64,AA', detail: 'low' },
        { type: 'input_file', file_url: 'https://example.com/a.pdf' },
        { type: 'input_audio', input_audio: { data: 'BB', format: 'wav' } },
      ],
    },
    {
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'output_text', text: 'Looking.' },
        { type: 'refusal', refusal: 'No.' },
      ],
    },
    { type: 'message', role: 'assistant', content: 'Calling.' },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    {
      type: 'function_call_output',
      call_id: 'c',
      output: [
        { type: 'input_text', text: '4' },
        { type: 'input_text', text: '2' },
      ],
    },
    { type: 'function_call_output', call_id: 'd', output: '' },
  ])
})

test('what this API cannot say is a warning', () => {
  const { body, warnings } = write(
    foreign({
      tools: [{ kind: 'hosted', pointer: '/tools/0', type: 'web_search_20250305', json: '{}', mark: undefined }],
      turns: [
        { ...turn('user', text('x')), pointer: '/messages/a', name: 'Ann' },
        turn(
          'assistant',
          { kind: 'thinking', pointer: '/t', text: 'hm', signature: 's', json: '{}' },
          { kind: 'redacted-thinking', pointer: '/r', data: 'd', json: '{}' },
          { kind: 'opaque', pointer: '/o', type: 'server_tool_use', json: '{}' },
        ),
        turn('tool', { kind: 'tool-result', pointer: '/e', callId: 'c', blocks: [text('4')], isError: true }),
        turn('user', {
          kind: 'document',
          pointer: '/d',
          source: { kind: 'base64', mediaType: 'application/pdf', data: 'AA' },
          title: undefined,
        }),
      ],
      settings: {
        ...unsaid,
        maxOutputTokens: 1,
        topK: 40,
        seed: 7,
        stop: ['x'],
        reasoning: { effort: undefined, budgetTokens: 1024, thinking: 'enabled', summary: undefined },
      },
      extras: [
        { name: 'metadata', pointer: '/metadata', json: '{ "a":"b"}' },
        { name: 'store', pointer: '/store', json: 'true' },
        { name: 'n', pointer: '/n', json: '2' },
      ],
      warnings: [{ code: 'field_not_carried', where: '/first', detail: 'said by the reader' }],
    }),
  )
  const inOrder = (list: Written['warnings']): string[] => list.map((one) => one.join(' ')).sort()
  expect(inOrder(warnings)).toEqual(
    inOrder([
      ['field_not_carried', '/messages/a/name'],
      ['field_not_carried', '/n'],
      ['field_not_carried', '/e/is_error'],
      ['field_not_carried', 'seed'],
      ['field_not_carried', 'stop'],
      ['field_not_carried', 'top_k'],
      ['field_not_carried', 'thinking.budget_tokens'],
      ['field_not_carried', 'thinking.type'],
      ['block_not_carried', '/t'],
      ['block_not_carried', '/r'],
      ['block_not_carried', '/o'],
      ['tool_not_carried', '/tools/0'],
      ['value_changed', '/store'],
      ['value_changed', 'max_output_tokens'],
      ['value_defaulted', '/d/filename'],
    ]),
  )
  expect(body).toMatchObject({ store: false, max_output_tokens: 16, metadata: { a: 'b' } })
  expect(body).not.toHaveProperty('n')
  expect(body).not.toHaveProperty('tools')
  expect(body.input.map(({ type }) => type)).toEqual(['message', 'function_call_output', 'message'])
})

describe('D-10 D-11 every mark stands somewhere, or is a warning', () => {
  test('on a part of a message; a string becomes one', () => {
    const { body, warnings } = write(
      foreign({ turns: [turn('system', text('Rules.', bare)), turn('user', text('x'))] }),
    )
    expect(warnings).toEqual([])
    expect(body.input[0]?.['content']).toEqual([{ type: 'input_text', text: 'Rules.', ...breakpoint }])
    expect(body).not.toHaveProperty('prompt_cache_options')
  })

  test('on the end of a tool result, where the whole is marked', () => {
    const result: Block = {
      kind: 'tool-result',
      pointer: '/r',
      callId: 'c',
      blocks: [text('4'), text('2')],
      isError: false,
      mark: bare,
    }
    const { body, warnings } = write(foreign({ turns: [turn('tool', result)] }))
    expect(warnings).toEqual([])
    expect(body.input[0]?.['output']).toEqual([
      { type: 'input_text', text: '4' },
      { type: 'input_text', text: '2', ...breakpoint },
    ])
  })

  test('before the words and calls of the model, which take none', () => {
    const call: Block = { kind: 'tool-call', pointer: '/c', id: 'c', name: 'f', arguments: '{}', mark: bare }
    const said: Block = { kind: 'text', pointer: '/s', text: 'Calling.', mark: bare }
    const { body, warnings } = write(foreign({ turns: [turn('user', text('x')), turn('assistant', said, call)] }))
    expect(warnings).toEqual([
      ['mark_moved', '/s'],
      ['mark_moved', '/c'],
    ])
    expect(body.input[0]?.['content']).toEqual([{ type: 'input_text', text: 'x', ...breakpoint }])
    expect(body.input[1]?.['content']).toBe('Calling.')
  })

  test('D-16 not on an empty text', () => {
    const empty: Block = { kind: 'text', pointer: '/e', text: '', mark: bare }
    const { body, warnings } = write(foreign({ turns: [turn('system', text('Rules.')), turn('user', empty)] }))
    expect(warnings).toEqual([['mark_moved', '/e']])
    expect(body.input[0]?.['content']).toEqual([{ type: 'input_text', text: 'Rules.', ...breakpoint }])
  })

  test('of a tool: on the first instructions, or nowhere', () => {
    const turns = [turn('user', text('x')), turn('developer', text('Rules.')), turn('system', text('More.'))]
    const moved = write(foreign({ tools: [tool(bare)], turns }))
    expect(moved.warnings).toEqual([['mark_moved', '/tools/0']])
    expect(moved.body.input[1]?.['content']).toEqual([{ type: 'input_text', text: 'Rules.', ...breakpoint }])
    const lost = write(foreign({ tools: [tool(bare)] }))
    expect(lost.warnings).toEqual([['mark_not_carried', '/tools/0']])
    expect(lost.text).not.toContain('prompt_cache_breakpoint')
  })

  test('D-13 D-14 of too many the latest stay, counted after translation', () => {
    const turns = Array.from({ length: 6 }, (_, index) =>
      turn('user', { kind: 'text', pointer: `/${index}`, text: 'x', mark: bare }),
    )
    const { body, warnings } = write(foreign({ turns }))
    expect(warnings).toEqual([
      ['mark_dropped', '/0'],
      ['mark_dropped', '/1'],
    ])
    const marked = [{ type: 'input_text', text: 'x', ...breakpoint }]
    expect(body.input.map((item) => item['content'])).toEqual(['x', 'x', marked, marked, marked, marked])
  })

  test('none where the upstream takes none', () => {
    const { text: body, warnings } = write(
      foreign({
        tools: [tool(bare)],
        turns: [turn('user', { kind: 'text', pointer: '/u', text: 'x', mark: bare })],
        cache: { key: 'k', retention: '24h', mode: 'explicit', automatic: { ttl: '1h' } },
      }),
      noMarks,
    )
    expect(warnings).toEqual([
      ['mark_not_carried', '/tools/0'],
      ['mark_not_carried', '/u'],
      ['ttl_changed', 'automatic mark'],
      ['field_not_carried', 'prompt_cache_options.mode'],
    ])
    expect(body).not.toMatch(/breakpoint|prompt_cache_options/)
    expect(body).toContain('"prompt_cache_key":"k","prompt_cache_retention":"24h"')
  })
})

describe('the life of marks is one for a request', () => {
  const marked = (ttl: CacheMark['ttl'], at: string): Turn =>
    turn('user', { kind: 'text', pointer: at, text: 'x', mark: { ttl } })
  const automatic = { key: undefined, retention: undefined, mode: undefined, automatic: { ttl: '1h' as const } }

  test('the longest wanted, rounded up to what there is', () => {
    const { body, warnings } = write(foreign({ turns: [marked('1h', '/a'), marked('5m', '/b')] }))
    expect(body['prompt_cache_options']).toEqual({ ttl: '12h' })
    expect(warnings).toEqual([['ttl_changed', '/b']])
  })

  test('a mark that moves along has one too', () => {
    expect(write(foreign({ cache: automatic })).body['prompt_cache_options']).toEqual({ ttl: '12h' })
  })

  test('the longest there is, where none lasts as long', () => {
    const short: WriteTarget = { model: 'gpt', marks: { ...marks, ttls: ['30m'] } }
    const { body, warnings } = write(foreign({ turns: [marked('1h', '/a')] }), short)
    expect(body).not.toHaveProperty('prompt_cache_options')
    expect(warnings).toEqual([['ttl_changed', '/a']])
  })

  test('prompt_cache_retention is not sent beside options', () => {
    const { body, warnings } = write(foreign({ cache: { ...automatic, retention: '24h' } }))
    expect(body).not.toHaveProperty('prompt_cache_retention')
    expect(warnings).toEqual([['field_not_carried', 'prompt_cache_retention']])
  })
})

test('the explicit mode is kept, unless it would turn caching off for a client that set a mark', () => {
  const cache = { key: undefined, retention: undefined, mode: 'explicit' as const, automatic: undefined }
  expect(write(foreign({ cache })).body['prompt_cache_options']).toEqual({ mode: 'explicit' })
  const lost = write(foreign({ cache, tools: [tool(bare)] }))
  expect(lost.body).not.toHaveProperty('prompt_cache_options')
  expect(lost.warnings).toEqual([
    ['mark_not_carried', '/tools/0'],
    ['value_changed', 'prompt_cache_options.mode'],
  ])
})

test('a prompt that is only to be stored is said so', () => {
  const conversation = foreign({ settings: { ...unsaid, maxOutputTokens: 0 } })
  const { body } = write(conversation)
  expect(body['prompt_cache_options']).toEqual({ prewarm: true })
  expect(body).not.toHaveProperty('max_output_tokens')
  expect(write(conversation, noMarks).warnings).toEqual([['value_changed', 'max_output_tokens']])
})

test('what only this API knows goes back as it was', () => {
  const reasoning = '{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"e", "x":1.0}'
  const search = '{"type":"web_search_call","id":"ws_1","action":{"b":1,"a":1.0}}'
  const { text: body, warnings } = write(
    read(`{"model":"demo","store":true,"tools":[{"type":"web_search","b":1.0}],"seed":7,"include":["reasoning.encrypted_content"],
      "top_logprobs":2,"tool_choice":{"type":"web_search"},"truncation":"auto","input":[${reasoning},${search},{"type":"item_reference","id":"msg_1"}]}`),
  )
  expect(warnings).toEqual([])
  expect(body).toBe(
    '{"model":"gpt","store":true,"seed":7,"top_logprobs":2,"include":["reasoning.encrypted_content","message.output_text.logprobs"],' +
      `"tool_choice":{"type":"web_search"},"truncation":"auto","tools":[{"type":"web_search","b":1.0}],"input":[${reasoning},${search},{"type":"item_reference","id":"msg_1"}]}`,
  )
})

const word = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 })
const markable = fc.record(
  { type: fc.constant('input_text'), text: word, prompt_cache_breakpoint: fc.constant({ mode: 'explicit' }) },
  { requiredKeys: ['type', 'text'] },
)
const image = fc.record({ type: fc.constant('input_image'), image_url: fc.webUrl(), detail: fc.constant('auto') })
const content = fc.oneof(word, fc.array(fc.oneof(markable, image), { minLength: 1, maxLength: 3 }))
const item = fc.oneof(
  fc.record({ role: fc.constantFrom('user', 'system', 'developer'), content }),
  fc.record({ role: fc.constant('assistant'), content: word }),
  fc.record({ type: fc.constant('function_call'), call_id: word, name: word, arguments: word }),
  fc.record({ type: fc.constant('function_call_output'), call_id: word, output: content }),
  fc.record({ type: fc.constant('reasoning'), id: word, summary: fc.constant([]), encrypted_content: word }),
  fc.record({
    type: fc.constantFrom('web_search_call', 'compaction', 'local_shell_call_output'),
    id: word,
    x: fc.jsonValue(),
  }),
)
const requestBody = fc.record(
  {
    model: fc.constant('gpt'),
    input: fc.array(item, { minLength: 1, maxLength: 8 }),
    instructions: word,
    stream: fc.constant(true),
    tools: fc.array(
      fc.record({
        type: fc.constant('function'),
        name: word,
        parameters: fc.dictionary(word, fc.jsonValue()),
        strict: fc.boolean(),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    temperature: fc.double({ min: 0, max: 2, noNaN: true }),
    max_output_tokens: fc.integer({ min: 1, max: 9999 }),
    prompt_cache_key: word,
    prompt_cache_options: fc.record({ mode: fc.constantFrom('implicit', 'explicit'), ttl: fc.constantFrom('12h') }),
    metadata: fc.dictionary(word, word),
    reasoning: fc.record({ effort: fc.constantFrom('low', 'none'), summary: fc.constant('auto') }),
  },
  { requiredKeys: ['model', 'input'] },
)

/** Without the pointers: they name places in another body. */
function unplaced(conversation: Conversation): unknown {
  const text = JSON.stringify(conversation, (key, value: unknown) => (key === 'pointer' ? undefined : value))
  return JSON.parse(text)
}

test('what is written is read as the same conversation, and written again as the same bytes', () => {
  const roomy: WriteTarget = { model: 'gpt', marks: { ...marks, max: 100 } }
  fc.assert(
    fc.property(requestBody, (body) => {
      const conversation = read(body)
      const written = dialect.write(conversation, roomy)
      expect(written.warnings).toEqual([])
      const again = dialect.read(dialect.parse(written.body, {}))
      expect(unplaced(again)).toEqual(unplaced(conversation))
      expect(dialect.write(again, roomy).body).toEqual(written.body)
    }),
  )
})
