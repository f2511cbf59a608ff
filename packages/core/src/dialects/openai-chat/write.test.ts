import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block, CacheMark, Conversation, ConversationSettings, Tool, Turn } from '../../domain/conversation.ts'
import type { MarkRules } from '../../domain/dialect.ts'
import { encode } from '../testing/generations.ts'
import { createOpenaiChat } from './index.ts'

const dialect = createOpenaiChat()
const openai: MarkRules = { field: 'prompt_cache_breakpoint', max: 4, ttls: ['30m'], automatic: false }
const openrouter: MarkRules = { field: 'cache_control', max: 4, ttls: ['5m', '1h'], automatic: true }
const unmarked: MarkRules = { field: 'none', max: 0, ttls: [], automatic: false }

const mark: CacheMark = { ttl: undefined }
const text = (text: string, mark?: CacheMark): Block => ({ kind: 'text', pointer: `/${text || 'empty'}`, text, mark })
const turn = (role: Turn['role'], ...blocks: Block[]): Turn => ({ role, pointer: `/${role}`, name: undefined, blocks })
const user = (...blocks: Block[]): Turn => turn('user', ...blocks)
const call: Block = { kind: 'tool-call', pointer: '/call', id: 'c1', name: 'f', arguments: '{ "b":1,"a":2}' }
const result = (blocks: Block[], fields: { mark?: CacheMark; isError?: boolean; callId?: string } = {}): Turn =>
  turn('tool', { kind: 'tool-result', pointer: '/result', callId: 'c1', isError: false, ...fields, blocks })
const tool = (name: string, mark?: CacheMark): Tool => ({
  kind: 'function',
  pointer: `/tools/${name}`,
  name,
  description: undefined,
  schemaJson: '{"type":"object", "z":1,"a":2}',
  strict: undefined,
  deferLoading: false,
  mark,
})

const silent = dialect.read(dialect.parse(encode('{"model":"m","messages":[{"role":"user","content":"x"}]}'), {}))

function conversationOf(fields: Partial<Conversation>, settings: Partial<ConversationSettings> = {}): Conversation {
  const cache = { key: undefined, retention: undefined, mode: undefined, automatic: undefined }
  return { ...silent, cache, ...fields, settings: { ...silent.settings, ...settings } }
}

function write(conversation: Conversation, marks: MarkRules = unmarked) {
  const { body, warnings } = dialect.write(conversation, { model: 'upstream', marks })
  const text = new TextDecoder().decode(body)
  return {
    text,
    json: JSON.parse(text) as Record<string, unknown>,
    codes: warnings.map(({ code, where }) => [code, where]),
  }
}

test('D-3 settings come first, then tools, then messages last', () => {
  const { json, codes } = write(
    conversationOf(
      { tools: [tool('f')], turns: [turn('system', text('Be kind')), user(text('Hi'))], stream: true },
      { maxOutputTokens: 5, temperature: 0.5, stop: ['x'], toolChoice: { name: 'f' }, parallelToolCalls: false },
    ),
  )
  expect(Object.keys(json)).toEqual([
    'model',
    'stream',
    'stream_options',
    'max_completion_tokens',
    'temperature',
    'stop',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'messages',
  ])
  expect(json).toMatchObject({
    model: 'upstream',
    stream_options: { include_usage: true },
    tool_choice: { type: 'function', function: { name: 'f' } },
    messages: [
      { role: 'system', content: 'Be kind' },
      { role: 'user', content: 'Hi' },
    ],
  })
  expect(codes).toEqual([])
})

test('D-4 D-9 schemas and arguments are the bytes of the client', () => {
  const format = {
    kind: 'schema',
    name: 'n',
    description: undefined,
    schemaJson: '{ "b":1, "a":2 }',
    strict: true,
  } as const
  const { text: body, json } = write(
    conversationOf({ tools: [tool('f')], turns: [turn('assistant', call), result([text('42')])] }, { format }),
  )
  expect(body).toContain('"parameters":{"type":"object", "z":1,"a":2}')
  expect(body).toContain('"schema":{ "b":1, "a":2 }')
  expect(json['messages']).toEqual([
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{ "b":1,"a":2}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: '42' },
  ])
})

const anyText = fc.string({ unit: 'binary', maxLength: 5 })
const anyMark = fc.option(fc.constantFrom<CacheMark>({ ttl: undefined }, { ttl: '1h' }, { ttl: '5m' }), {
  nil: undefined,
})
const anyBlock = fc.record({ text: anyText, mark: anyMark }).map(({ text: value, mark }) => text(value, mark))
const anyTurn = fc.oneof(
  fc.array(anyBlock, { minLength: 1, maxLength: 3 }).map((blocks) => user(...blocks)),
  fc.array(anyBlock, { maxLength: 3 }).map((blocks) => turn('assistant', ...blocks, call)),
  fc.array(anyBlock, { maxLength: 3 }).map((blocks) => result(blocks)),
  fc.array(anyBlock, { minLength: 1, maxLength: 2 }).map((blocks) => turn('system', ...blocks)),
)
const anyConversation = fc
  .record({ turns: fc.array(anyTurn, { minLength: 1, maxLength: 8 }), marked: anyMark })
  .map(({ turns, marked }) => conversationOf({ turns, tools: [tool('f', marked)] }))

test('D-1 equal conversations give equal bytes', () => {
  fc.assert(
    fc.property(anyConversation, (conversation) => {
      expect(write(structuredClone(conversation), openrouter).text).toBe(write(conversation, openrouter).text)
    }),
  )
})

test.each([
  ['prompt_cache_breakpoint', openai],
  ['cache_control', openrouter],
  ['none', unmarked],
] as const)('D-10 D-11 D-13 every mark stands, or a warning says why not, and never too many: %s', (field, rules) => {
  fc.assert(
    fc.property(anyConversation, (conversation) => {
      const { text: body, codes } = write(conversation, rules)
      const written = body.split(`"${field}":`).length - 1
      expect(written).toBeLessThanOrEqual(rules.max)
      const lost = codes.filter(([code]) => code?.startsWith('mark_')).length
      expect(written + lost).toBeGreaterThanOrEqual(Math.min(marksOf(conversation), rules.max))
      expect(marksOf(conversation) === 0 || written + lost > 0).toBe(true)
      // D-16: no mark on an empty text.
      expect(body).not.toMatch(/"text":"","(?:cache_control|prompt_cache_breakpoint)"/)
    }),
  )
})

test('a mark that wanders changes nothing but itself and the part it needs', () => {
  const marked = write(
    conversationOf({ turns: [user(text('a', mark), text('b')), result([text('c'), text('d', mark)])] }),
    openai,
  )
  const bare = write(conversationOf({ turns: [user(text('a'), text('b')), result([text('c'), text('d')])] }), openai)
  const withoutMarks = marked.text.replaceAll(',"prompt_cache_breakpoint":{"mode":"explicit"}', '')
  expect(withoutMarks.replace('[{"type":"text","text":"c\\nd"}]', '"c\\nd"')).toBe(bare.text)
})

function marksOf({ tools, turns }: Conversation): number {
  const blocks = turns.flatMap(({ blocks }) => blocks)
  const inner = blocks.flatMap((block) => (block.kind === 'tool-result' ? block.blocks : []))
  // The marks inside one result are one.
  const results = blocks.filter((block) => block.kind === 'tool-result' && block.blocks.some(({ mark }) => mark))
  const outside = [...tools, ...blocks].filter(({ mark }) => mark !== undefined).length
  return inner.length === 0 ? outside : outside + results.length
}

describe('marks', () => {
  test('D-11 stand on assistant and tool parts, a string becoming a part only there', () => {
    const { json, codes } = write(
      conversationOf({
        turns: [user(text('a')), turn('assistant', text('b', mark), call), result([text('c')], { mark })],
      }),
      openai,
    )
    const breakpoint = { prompt_cache_breakpoint: { mode: 'explicit' } }
    expect(json['messages']).toMatchObject([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: [{ type: 'text', text: 'b', ...breakpoint }] },
      { role: 'tool', content: [{ type: 'text', text: 'c', ...breakpoint }] },
    ])
    expect(codes).toEqual([])
  })

  test('D-13 the latest stay, in the number that is taken', () => {
    const turns = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => user(text(name, mark)))
    const { text: body, codes } = write(conversationOf({ turns }), openrouter)
    expect(body.split('"cache_control"')).toHaveLength(5)
    expect(codes).toEqual([
      ['mark_dropped', '/a'],
      ['mark_dropped', '/b'],
    ])
  })

  test('D-16 D-17 on what takes none stand at the last place before', () => {
    const thinking: Block = { kind: 'thinking', pointer: '/t', text: 'x', signature: 's', json: '{}', mark }
    const { json, codes } = write(
      conversationOf({
        turns: [user(text('a')), user(text('', mark)), turn('assistant', thinking, { ...call, mark })],
      }),
      openrouter,
    )
    expect(json['messages']).toMatchObject([
      { content: [{ text: 'a', cache_control: { type: 'ephemeral' } }] },
      { content: '' },
      { content: null },
    ])
    expect(codes).toEqual([
      ['mark_moved', '/empty'],
      ['mark_moved', '/t'],
      ['mark_moved', '/call'],
      ['block_not_carried', '/t'],
    ])
  })

  test('on tools stand there, or at the first instruction, or nowhere', () => {
    const tools = [tool('f', mark)]
    const turns = [turn('system', text('Rules')), user(text('Hi'))]
    expect(write(conversationOf({ tools, turns }), openrouter).json['tools']).toMatchObject([
      { type: 'function', cache_control: { type: 'ephemeral' } },
    ])
    const moved = write(conversationOf({ tools, turns }), openai)
    expect(moved.json['messages']).toMatchObject([
      { role: 'system', content: [{ text: 'Rules', prompt_cache_breakpoint: { mode: 'explicit' } }] },
      { content: 'Hi' },
    ])
    expect(moved.codes).toEqual([['mark_moved', '/tools/f']])
    const nowhere = write(conversationOf({ tools, turns: [user(text('Hi'))] }), openai)
    expect(nowhere.codes).toEqual([['mark_not_carried', '/tools/f']])
  })

  test('an upstream that takes none gets none', () => {
    const { text: body, codes } = write(conversationOf({ turns: [user(text('a', mark))] }))
    expect(body).not.toContain('cache_control')
    expect(codes).toEqual([['mark_not_carried', '/a']])
  })

  test('keep the life that was asked for where there is one, and say so where there is none', () => {
    const turns = [user(text('a', { ttl: '1h' })), user(text('b', { ttl: '12h' }))]
    const controlled = write(conversationOf({ turns }), openrouter)
    expect(controlled.json['messages']).toMatchObject([
      { content: [{ cache_control: { type: 'ephemeral', ttl: '1h' } }] },
      { content: [{ cache_control: { type: 'ephemeral', ttl: '1h' } }] },
    ])
    expect(controlled.codes).toEqual([['ttl_changed', '/b']])
    const long = write(conversationOf({ turns }), { ...openai, ttls: ['30m', '12h'] })
    expect(long.json['prompt_cache_options']).toEqual({ ttl: '12h' })
    expect(long.codes).toEqual([])
    expect(write(conversationOf({ turns }), openai).json['prompt_cache_options']).toBeUndefined()
  })

  test('one that follows the end of the prompt is asked for where that can be', () => {
    const cache = { key: 'k', retention: '24h', mode: undefined, automatic: { ttl: '1h' } } as const
    const turns = [user(text('a'))]
    expect(write(conversationOf({ cache, turns }), openrouter).json).toMatchObject({
      prompt_cache_key: 'k',
      prompt_cache_retention: '24h',
      cache_control: { type: 'ephemeral', ttl: '1h' },
    })
    const full = { ...openrouter, max: 1 }
    expect(write(conversationOf({ cache, turns: [user(text('a', mark))] }), full).json['cache_control']).toBeUndefined()
    expect(write(conversationOf({ cache, turns })).json['cache_control']).toBeUndefined()
    const explicit = write(
      conversationOf({ cache: { ...cache, mode: 'explicit', automatic: undefined }, turns }),
      openai,
    )
    expect(explicit.json['prompt_cache_options']).toEqual({ mode: 'explicit' })
    expect(explicit.codes).toEqual([['field_not_carried', 'prompt_cache_retention']])
  })
})

describe('content', () => {
  test('images, files and audio keep their bytes', () => {
    const blocks: Block[] = [
      { kind: 'image', pointer: '/0', source: { kind: 'base64', mediaType: 'image/png', data: 'AA' }, detail: 'low' },
      { kind: 'image', pointer: '/1', source: { kind: 'url', url: 'https://x/y' }, detail: undefined },
      { kind: 'audio', pointer: '/2', data: 'BB', format: 'wav' },
      {
        kind: 'document',
        pointer: '/3',
        source: { kind: 'base64', mediaType: 'application/pdf', data: 'CC' },
        title: 'a.pdf',
      },
      { kind: 'document', pointer: '/4', source: { kind: 'file', id: 'file-1' }, title: undefined },
      { kind: 'document', pointer: '/5', source: { kind: 'text', text: 'plain' }, title: 'T' },
      { kind: 'document', pointer: '/6', source: { kind: 'url', url: 'https://x/z' }, title: undefined },
      { kind: 'image', pointer: '/7', source: { kind: 'file', id: 'file-2' }, detail: undefined },
    ]
    const { json, codes } = write(conversationOf({ turns: [user(...blocks)] }))
    expect(json['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AA', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://x/y' } },
          { type: 'input_audio', input_audio: { data: 'BB', format: 'wav' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,CC' } },
          { type: 'file', file: { file_id: 'file-1' } },
          { type: 'text', text: 'plain' },
        ],
      },
    ])
    expect(codes).toEqual([
      ['block_not_carried', '/6'],
      ['block_not_carried', '/7'],
      ['value_changed', '/5'],
    ])
  })

  test('images of tool results follow the last result of the group, as a user message', () => {
    const image: Block = {
      kind: 'image',
      pointer: '/i',
      source: { kind: 'url', url: 'https://x/y' },
      detail: undefined,
      mark,
    }
    const { json, codes } = write(
      conversationOf({
        turns: [
          turn('assistant', call, { ...call, id: 'c2' }),
          result([text('a'), image, text('b')], { isError: true }),
          result([text('c')], { callId: 'c2' }),
          user(text('And?')),
        ],
      }),
      openrouter,
    )
    expect(json['messages']).toMatchObject([
      { role: 'assistant' },
      { role: 'tool', tool_call_id: 'c1', content: 'a\nb' },
      { role: 'tool', tool_call_id: 'c2', content: 'c' },
      { role: 'user', content: [{ type: 'image_url', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: 'And?' },
    ])
    expect(codes).toEqual([
      ['field_not_carried', '/result/is_error'],
      ['role_changed', '/i'],
    ])
  })

  test('results inside a user message come before what the user says', () => {
    const inner: Block = { kind: 'tool-result', pointer: '/r', callId: 'c1', blocks: [text('42')], isError: false }
    const { json } = write(conversationOf({ turns: [turn('assistant', call), user(text('So'), inner)] }))
    expect(json['messages']).toMatchObject([{ role: 'assistant' }, { role: 'tool' }, { role: 'user', content: 'So' }])
  })

  test('thinking goes back under the name it came by, and only where it came from', () => {
    const own: Block = {
      kind: 'thinking',
      pointer: '/o',
      text: 'Hm',
      signature: undefined,
      json: '{"reasoning":"H\\u006d"}',
    }
    const foreign: Block = {
      ...own,
      pointer: '/f',
      signature: 's',
      json: '{"type":"thinking","thinking":"Hm","signature":"s"}',
    }
    const { text: body, codes } = write(conversationOf({ turns: [turn('assistant', own, foreign, text('Yes'))] }))
    expect(body).toContain('{"role":"assistant","reasoning":"H\\u006d","content":"Yes"}')
    expect(codes).toEqual([['block_not_carried', '/f']])
  })

  test('a refusal alone stands beside the content, among texts it is a part', () => {
    const refusal: Block = { kind: 'refusal', pointer: '/r', text: 'No.' }
    expect(write(conversationOf({ turns: [turn('assistant', refusal)] })).json['messages']).toEqual([
      { role: 'assistant', content: null, refusal: 'No.' },
    ])
    expect(write(conversationOf({ turns: [turn('assistant', text('Hm'), refusal)] })).json['messages']).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Hm' },
          { type: 'refusal', refusal: 'No.' },
        ],
      },
    ])
  })
})

test('what chat has no word for is named', () => {
  const hosted: Tool = { kind: 'hosted', pointer: '/tools/0', type: 'web_search', json: '{}', mark: undefined }
  const reasoning = { effort: 'max', budgetTokens: 5, thinking: 'enabled', summary: undefined }
  const { json, codes } = write(
    conversationOf(
      {
        tools: [hosted],
        extras: [
          { name: 'metadata', pointer: '/metadata', json: '{ "a":"b"}' },
          { name: 'truncation', pointer: '/truncation', json: '"auto"' },
        ],
      },
      { topK: 4, toolChoice: 'auto', reasoning },
    ),
  )
  expect(json).toMatchObject({ reasoning_effort: 'max', metadata: { a: 'b' } })
  expect(json['tool_choice']).toBeUndefined()
  expect(codes).toEqual([
    ['field_not_carried', 'top_k'],
    ['field_not_carried', 'reasoning budget'],
    ['field_not_carried', 'thinking'],
    ['field_not_carried', '/truncation'],
    ['tool_not_carried', '/tools/0'],
    ['field_not_carried', 'tool_choice'],
  ])
})

test('what is written is read back as the same conversation', () => {
  fc.assert(
    fc.property(anyConversation, (conversation) => {
      const { body } = dialect.write(conversation, { model: 'm', marks: openrouter })
      const again = dialect.read(dialect.parse(body, {}))
      // Saying nothing means the implicit mode: only that cannot be told from an explicit word.
      const same = { ...again, cache: conversation.cache }
      expect(dialect.write(same, { model: 'm', marks: openrouter }).body).toEqual(body)
      expect(again.warnings).toEqual([])
      expect(again.turns.map(({ role }) => role)).toEqual(conversation.turns.map(({ role }) => role))
    }),
  )
})
