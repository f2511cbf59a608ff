import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block, Conversation, ConversationSettings, Tool, Turn } from '../../domain/conversation.ts'
import type { MarkRules } from '../../domain/dialect.ts'
import { encode } from '../testing/generations.ts'
import { markedBody, messagesPrompt } from '../testing/messages-bodies.ts'
import { repairMarks } from '../../plan/anthropic-marks.ts'
import { createAnthropicMessages } from './index.ts'

const dialect = createAnthropicMessages()
const marks: MarkRules = { field: 'cache_control', max: 4, ttls: ['5m', '1h'], automatic: true }
const short = { type: 'ephemeral' }
const long = { type: 'ephemeral', ttl: '1h' }

const noSettings: ConversationSettings = dialect.read(
  messagesPrompt(`{"model":"m","messages":[{"role":"user","content":"x"}]}`),
).settings

const turn = (role: Turn['role'], ...blocks: Block[]): Turn => ({
  role,
  pointer: `/turns/${role}`,
  name: undefined,
  blocks,
})
const text = (words: string, ttl?: '5m' | '30m' | '1h' | 'bare'): Block => {
  const mark = ttl === undefined ? undefined : { ttl: ttl === 'bare' ? undefined : ttl }
  return { kind: 'text', pointer: `/text/${words}`, text: words, mark }
}
const tool: Tool = {
  kind: 'function',
  pointer: '/tools/0',
  name: 'f',
  description: undefined,
  schemaJson: '{"type":"object", "properties":{"b":{},"a":{}}}',
  strict: undefined,
  deferLoading: false,
  mark: undefined,
}
const call = (id: string, args: string): Block => ({
  kind: 'tool-call',
  pointer: `/call/${id}`,
  id,
  name: 'f',
  arguments: args,
})
const result = (callId: string, ...blocks: Block[]): Block => {
  return { kind: 'tool-result', pointer: `/result/${callId}`, callId, blocks, isError: false }
}

function conversation(
  parts: Partial<Omit<Conversation, 'settings'>> & { settings?: Partial<ConversationSettings> },
): Conversation {
  const { settings, ...rest } = parts
  return {
    model: 'client-model',
    stream: false,
    tools: [],
    turns: [turn('user', text('hello'))],
    cache: { key: undefined, retention: undefined, mode: undefined, automatic: undefined },
    extras: [],
    warnings: [],
    ...rest,
    settings: { ...noSettings, ...settings },
  }
}

interface Body {
  readonly [name: string]: unknown
  readonly messages: { role: string; content: Record<string, unknown>[] }[]
}

function write(
  parts: Parameters<typeof conversation>[0],
  rules: MarkRules = marks,
): { json: string; body: Body; codes: string[]; wheres: string[] } {
  const { body, warnings } = dialect.write(conversation(parts), { model: 'claude-opus-5', marks: rules })
  const json = new TextDecoder().decode(body)
  return {
    json,
    body: JSON.parse(json) as Body,
    codes: warnings.map(({ code }) => code),
    wheres: warnings.map(({ where }) => where),
  }
}

const limited = { maxOutputTokens: 64 }

describe('order and bytes', () => {
  test('D-3 settings come first, then tools, system, and messages last', () => {
    const { body } = write({
      stream: true,
      tools: [tool],
      turns: [turn('developer', text('Rules.')), turn('user', text('q'))],
      settings: { ...limited, temperature: 0.5, toolChoice: 'required', user: 'u', stop: ['x'] },
      cache: { key: undefined, retention: undefined, mode: undefined, automatic: { ttl: undefined } },
    })
    expect(Object.keys(body).slice(-3)).toEqual(['tools', 'system', 'messages'])
    expect(body).toMatchObject({
      model: 'claude-opus-5',
      stream: true,
      max_tokens: 64,
      temperature: 0.5,
      stop_sequences: ['x'],
      tool_choice: { type: 'any' },
      metadata: { user_id: 'u' },
      cache_control: short,
      system: [{ type: 'text', text: 'Rules.' }],
    })
  })

  test('D-4 schemas are written in the client bytes', () => {
    const schemaJson = '{ "type":"object","properties":{"z":{},"a":{"enum":[1.0,1e2]}}}'
    const format = { kind: 'schema', name: undefined, description: undefined, schemaJson, strict: undefined } as const
    const { json } = write({ tools: [{ ...tool, schemaJson }], settings: { ...limited, format } })
    expect(json).toContain(`"input_schema":${schemaJson}`)
    expect(json).toContain(`"output_config":{"format":{"type":"json_schema","schema":${schemaJson}}}`)
  })

  test('D-9 arguments of past calls are written in the client bytes; what is no object is wrapped and told', () => {
    const turns = [turn('assistant', call('a', ' { "b":1, "a":1.50}'), call('b', '[1]'), call('c', '{"x":'))]
    const { json, body, codes } = write({ turns, settings: limited })
    expect(json).toContain('"input":{ "b":1, "a":1.50}')
    expect(body.messages[0]?.content.map((block) => block['input'])).toEqual([
      { b: 1, a: 1.5 },
      { arguments: '[1]' },
      { arguments: '{"x":' },
    ])
    expect(codes).toEqual(['value_changed', 'value_changed'])
  })

  test('equal conversations give equal bytes', () => {
    const parts = { tools: [tool], settings: limited }
    expect(write(parts).json).toBe(write(parts).json)
  })
})

describe('turns', () => {
  test('later instructions become user text and are told; names have no place', () => {
    const { body, codes } = write({
      settings: limited,
      turns: [
        turn('system', text('One.')),
        turn('developer', text('Two.')),
        { ...turn('user', text('q')), name: 'ann' },
        turn('system', text('Late.')),
      ],
    })
    expect(body['system']).toMatchObject([{ text: 'One.' }, { text: 'Two.' }])
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'q' },
          { type: 'text', text: 'Late.' },
        ],
      },
    ])
    expect(codes).toEqual(['field_not_carried', 'role_changed'])
  })

  test('of nothing but instructions the last one is asked', () => {
    const { body, codes } = write({ settings: limited, turns: [turn('system', text('Do it.'))] })
    expect(body).toMatchObject({ messages: [{ role: 'user', content: [{ text: 'Do it.' }] }] })
    expect(codes).toEqual(['role_changed'])
  })

  test('turns of one role are one message, tool results first', () => {
    const { body } = write({
      settings: limited,
      turns: [
        turn('user', text('q')),
        turn('assistant', call('a', '{}'), call('b', '{}')),
        turn('user', text('wait')),
        turn('tool', result('a', text('1'))),
        turn('tool', result('b')),
      ],
    })
    expect(body.messages.map(({ role, content }) => [role, content.map(({ type }) => type)])).toEqual([
      ['user', ['text']],
      ['assistant', ['tool_use', 'tool_use']],
      ['user', ['tool_result', 'tool_result', 'text']],
    ])
    expect(body.messages[2]?.content[1]).toEqual({ type: 'tool_result', tool_use_id: 'b' })
  })

  test('thinking of this API stays as it was; foreign reasoning is left out and told', () => {
    const json = '{"type":"thinking", "thinking":"hm","signature":"s"}'
    const ours: Block = { kind: 'thinking', pointer: '/a', text: 'hm', signature: 's', json }
    const foreign: Block = { ...ours, pointer: '/b', json: '{"type":"reasoning","encrypted_content":"s"}' }
    const unsigned: Block = {
      ...ours,
      pointer: '/c',
      signature: undefined,
      json: '{"type":"thinking","thinking":"hm"}',
    }
    const written = write({
      settings: limited,
      turns: [turn('user', text('q')), turn('assistant', ours, foreign, unsigned, text('a'))],
    })
    expect(written.json).toContain(json)
    expect(written.body.messages[1]?.content).toHaveLength(2)
    expect([written.codes, written.wheres]).toEqual([
      ['block_not_carried', 'block_not_carried'],
      ['/b', '/c'],
    ])
  })

  test('attachments have their sources; audio and foreign files are left out and told', () => {
    const image = (source: Extract<Block, { kind: 'image' }>['source']): Block => ({
      kind: 'image',
      pointer: '/i',
      source,
      detail: undefined,
    })
    const { body, codes } = write({
      settings: limited,
      turns: [
        turn(
          'user',
          image({ kind: 'base64', mediaType: 'image/png', data: 'AA' }),
          image({ kind: 'url', url: 'https://example.com' }),
          image({ kind: 'file', id: 'file_1' }),
          image({ kind: 'file', id: 'file-1' }),
          { kind: 'document', pointer: '/d', source: { kind: 'text', text: 'x' }, title: 't' },
          {
            kind: 'document',
            pointer: '/e',
            source: { kind: 'base64', mediaType: 'text/csv', data: 'AA' },
            title: undefined,
          },
          { kind: 'audio', pointer: '/s', data: 'AA', format: 'wav' },
        ),
      ],
    })
    expect(body.messages[0]?.content).toEqual([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA' } },
      { type: 'image', source: { type: 'url', url: 'https://example.com' } },
      { type: 'image', source: { type: 'file', file_id: 'file_1' } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' }, title: 't' },
    ])
    expect(codes).toEqual(['block_not_carried', 'block_not_carried', 'block_not_carried'])
  })

  test('hosted tools of others are left out and told; ours stay as written', () => {
    const hosted = (type: string): Tool => ({
      kind: 'hosted',
      pointer: `/${type}`,
      type,
      json: `{"type":"${type}", "x":1.0}`,
      mark: undefined,
    })
    const tools = [hosted('web_search_20250305'), hosted('web_search_preview_2025_03_11'), hosted('code_interpreter')]
    const { json, codes } = write({ tools, settings: limited })
    expect(json).toContain('"tools":[{"type":"web_search_20250305", "x":1.0}]')
    expect(codes).toEqual(['tool_not_carried', 'tool_not_carried'])
  })
})

describe('settings', () => {
  test('the limit that the API requires is set and told where the client named none; 0 stays 0', () => {
    const { body, codes } = write({})
    expect([body['max_tokens'], codes]).toEqual([8192, ['value_defaulted']])
    expect(write({ settings: { maxOutputTokens: 0 } }).body['max_tokens']).toBe(0)
  })

  test('D-27 effort, budget and kind of thinking are each written from themselves alone', () => {
    const reasoning = { effort: undefined, budgetTokens: undefined, thinking: undefined, summary: undefined }
    const of = (parts: Partial<typeof reasoning> | object): Body =>
      write({ settings: { ...limited, reasoning: { ...reasoning, ...parts } } }).body
    expect(of({ effort: 'high' })).toMatchObject({ output_config: { effort: 'high' } })
    expect(of({ effort: 'high' })).not.toHaveProperty('thinking')
    expect(of({ budgetTokens: 2048 })).toMatchObject({
      thinking: { type: 'enabled', budget_tokens: 2048 },
      max_tokens: 64,
    })
    expect(of({ budgetTokens: 2048 })).not.toHaveProperty('output_config')
    expect(of({ thinking: 'disabled' })).toMatchObject({ thinking: { type: 'disabled' } })
    expect(of({ effort: 'minimal' })).toMatchObject({ output_config: { effort: 'low' } })
    expect(of({ effort: 'none' })).toEqual(of({}))
  })

  test('what has no counterpart is told by name, unless it says nothing', () => {
    const { codes, wheres } = write({
      settings: {
        ...limited,
        seed: 1,
        frequencyPenalty: 0,
        presencePenalty: 1,
        repetitionPenalty: 1,
        logitBias: {},
        verbosity: 'low',
        stop: [' '],
      },
      cache: { key: 'k', retention: undefined, mode: 'implicit', automatic: undefined },
      extras: [
        { name: 'store', pointer: '/store', json: 'false' },
        { name: 'metadata', pointer: '/metadata', json: '{"a":"b"}' },
        { name: 'speed', pointer: '/speed', json: '"fast"' },
      ],
    })
    expect(wheres).toEqual(['seed', 'presence_penalty', 'verbosity', 'prompt_cache_key', 'stop', '/metadata'])
    expect(new Set(codes)).toEqual(new Set(['field_not_carried']))
  })

  test('temperature is cut to what the API takes and told', () => {
    const { body, codes } = write({ settings: { ...limited, temperature: 1.7 } })
    expect([body['temperature'], codes]).toEqual([1, ['value_changed']])
  })

  test('a choice among tools', () => {
    const of = (settings: Partial<ConversationSettings>, tools: Tool[] = [tool]): unknown =>
      write({ tools, settings: { ...limited, ...settings } }).body['tool_choice']
    expect(of({ toolChoice: { name: 'f' }, parallelToolCalls: false })).toEqual({
      type: 'tool',
      name: 'f',
      disable_parallel_tool_use: true,
    })
    expect(of({ parallelToolCalls: false })).toEqual({ type: 'auto', disable_parallel_tool_use: true })
    expect(of({ toolChoice: 'none', parallelToolCalls: false })).toEqual({ type: 'none' })
    expect(of({})).toBeUndefined()
    expect(of({ toolChoice: 'required' }, [])).toBeUndefined()
  })
})

describe('marks', () => {
  test('D-11 marks on assistant turns, calls and results survive; one inside a result becomes the result own', () => {
    const { body, codes } = write({
      settings: limited,
      turns: [
        turn('user', text('q')),
        turn('assistant', text('a', '1h'), { ...call('a', '{}'), mark: { ttl: undefined } }),
        turn('tool', result('a', text('1', '5m'))),
      ],
    })
    expect(body.messages[1]?.content).toMatchObject([{ cache_control: long }, { cache_control: short }])
    expect(body.messages[2]?.content).toMatchObject([{ type: 'tool_result', cache_control: short }])
    expect(codes).toEqual([])
  })

  test('D-14 D-13 marks are counted after translation: four are left of however many', () => {
    const results = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) =>
      turn('tool', { ...result(id, text('1')), mark: { ttl: undefined } }),
    )
    const { json, codes } = write({
      settings: limited,
      turns: [turn('system', text('Rules.', 'bare')), turn('user', text('q')), ...results],
    })
    expect(json.match(/cache_control/g)).toHaveLength(4)
    expect(codes).toEqual(['mark_dropped', 'mark_dropped', 'mark_dropped'])
    expect(json).toContain('"text":"Rules.","cache_control"')
  })

  test('D-15 lives are put in order after translation, 30 minutes becoming an hour', () => {
    const { body, codes } = write({
      settings: limited,
      turns: [turn('system', text('Rules.', '5m')), turn('user', text('q', '30m'))],
    })
    expect(body).toMatchObject({
      system: [{ cache_control: long }],
      messages: [{ content: [{ cache_control: long }] }],
    })
    expect(codes).toEqual(['ttl_changed'])
  })

  test('D-16 D-17 a mark on what is not written or takes none moves to the block before', () => {
    const thinking: Block = {
      kind: 'thinking',
      pointer: '/t',
      text: '',
      signature: 's',
      json: '{"type":"thinking","thinking":"","signature":"s"}',
      mark: { ttl: undefined },
    }
    const moved = write({ settings: limited, turns: [turn('user', text('q')), turn('assistant', thinking)] })
    expect(moved.body.messages[0]?.content).toMatchObject([{ cache_control: short }])
    expect(moved.codes).toEqual(['mark_moved'])
    const empty = write({ settings: limited, turns: [turn('user', text('q')), turn('assistant', text('', 'bare'))] })
    expect(empty.body.messages).toMatchObject([{ content: [{ text: 'q', cache_control: short }] }])
    expect(empty.codes).toEqual(['block_not_carried', 'mark_moved'])
  })

  test('D-18 a mark on a deferred tool moves to the tool before', () => {
    const tools: Tool[] = [tool, { ...tool, name: 'late', deferLoading: true, mark: { ttl: undefined } }]
    const { body, codes } = write({ tools, settings: limited })
    expect(body['tools']).toMatchObject([
      { name: 'f', cache_control: short },
      { name: 'late', defer_loading: true },
    ])
    expect(codes).toEqual(['mark_moved'])
  })

  test('the automatic mark is sent where the upstream takes it and a place is free', () => {
    const implicit = { key: undefined, retention: undefined, mode: undefined, automatic: { ttl: undefined } }
    const cache = { ...implicit, automaticPointer: '/cache_control' }
    expect(write({ cache, settings: limited }).body).toMatchObject({ cache_control: short })
    const refused = write({ cache, settings: limited }, { ...marks, automatic: false })
    expect([refused.body['cache_control'], refused.codes]).toEqual([undefined, ['mark_not_carried']])
    const turns = [
      turn('user', text('a', '5m'), text('b', '5m'), text('c', '5m'), text('d', '5m')),
      turn('assistant', text('e')),
    ]
    const full = write({ cache, settings: limited, turns })
    expect([full.body['cache_control'], full.codes]).toEqual([undefined, ['mark_dropped']])
    // A client whose dialect has it without a word has asked for nothing.
    expect(write({ cache: implicit, settings: limited }).body).toMatchObject({ cache_control: short })
    const unasked = [
      write({ cache: implicit, settings: limited }, { ...marks, automatic: false }),
      write({ cache: implicit, settings: limited }, { ...marks, field: 'none' }),
      write({ cache: implicit, settings: limited, turns }),
    ]
    for (const { body, codes } of unasked.slice(0, 2)) expect([body['cache_control'], codes]).toEqual([undefined, []])
    expect(unasked[2]?.codes).toEqual([])
  })

  test('marks inside the raw text of tools and blocks are counted apart and never written twice', () => {
    const hosted: Tool = {
      kind: 'hosted',
      pointer: '/tools/0',
      type: 'bash_20250124',
      json: '{"type":"bash_20250124", "cache_control":{"type":"ephemeral"}, "name":"bash"}',
      mark: { ttl: '1h' },
    }
    const found = `{"type":"search_result","source":"s","title":"t","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}`
    const source = dialect.read(messagesPrompt(`{"model":"m","messages":[{"role":"user","content":[${found}]}]}`))
    const { json, body, codes } = write({ tools: [hosted], settings: limited, turns: source.turns })
    expect(json.match(/cache_control/g)).toHaveLength(2)
    expect(json).toContain('{"type":"bash_20250124", "name":"bash","cache_control":{"type":"ephemeral","ttl":"1h"}}')
    expect(body.messages[0]?.content).toMatchObject([{ type: 'search_result', cache_control: short }])
    expect(codes).toEqual([])
  })

  test('an upstream without marks gets none, each told', () => {
    const { json, codes } = write(
      { settings: limited, turns: [turn('user', text('q', '1h'))] },
      { ...marks, field: 'none' },
    )
    expect(json).not.toContain('cache_control')
    expect(codes).toEqual(['mark_not_carried'])
  })

  test('D-13 D-14 D-15 D-16 D-17 D-18 whatever a client marks, what is written needs no repair', () => {
    fc.assert(
      fc.property(markedBody, (body) => {
        const source = dialect.read(messagesPrompt(body))
        const written = dialect.write(source, { model: 'claude-opus-5', marks })
        // Of nothing but empty text nothing is left: there is no body to look at.
        fc.pre(!new TextDecoder().decode(written.body).endsWith('"messages":[]}'))
        const repair = repairMarks(dialect.parse(written.body, {}))
        expect(repair).toEqual({ edits: [], warnings: [] })
      }),
      { numRuns: 300 },
    )
  })
})

test('what is carried reads back as it was', () => {
  fc.assert(
    fc.property(conversations, (source) => {
      const { body, warnings } = dialect.write(source, { model: source.model, marks })
      expect(warnings).toEqual([])
      const back = dialect.read(dialect.parse(body, {}))
      const { automaticPointer: _, ...cache } = back.cache
      expect(withoutPointers({ ...back, cache })).toEqual(withoutPointers(source))
    }),
    { numRuns: 300 },
  )
})

const words = fc.string({ minLength: 1, maxLength: 8, unit: 'binary' }).filter((value) => value.trim() !== '')
const json = fc
  .dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 })
  .map((value) => JSON.stringify(value, null, 1))
const id = fc.stringMatching(/^[a-z0-9_-]{1,6}$/)
const textBlock = words.map((value) => text(value))
const callBlock = fc.tuple(id, json).map(([name, args]) => call(name, args))
const resultBlock = fc.tuple(id, fc.array(textBlock, { maxLength: 2 })).map(([name, blocks]) => result(name, ...blocks))
const pairs = fc.array(
  fc.record({
    results: fc.array(resultBlock, { maxLength: 2 }),
    asked: fc.array(textBlock, { minLength: 1, maxLength: 2 }),
    answered: fc.array(fc.oneof(textBlock, callBlock), { minLength: 1, maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 3 },
)

/** Conversations that say only what this dialect can say, in its own form. */
const conversations = fc
  .record({
    system: fc.option(fc.array(textBlock, { minLength: 1, maxLength: 2 }), { nil: undefined }),
    pairs,
    schema: json,
    stream: fc.boolean(),
    temperature: fc.option(fc.constantFrom(0, 0.25, 1), { nil: undefined }),
    max: fc.nat(10_000),
    effort: fc.option(fc.constantFrom('low', 'max'), { nil: undefined }),
    budget: fc.option(fc.integer({ min: 1024, max: 4096 }), { nil: undefined }),
    choice: fc.constantFrom('auto' as const, 'none' as const, 'required' as const, { name: 'f' }, undefined),
    user: fc.option(words, { nil: undefined }),
    ttl: fc.constantFrom('1h' as const, undefined),
    automatic: fc.boolean(),
  })
  .map((drawn) => {
    const turns = drawn.pairs.flatMap(({ results, asked, answered }) => [
      turn('user', ...results, ...asked),
      turn('assistant', ...answered),
    ])
    const thinks = drawn.effort !== undefined || drawn.budget !== undefined
    const thinking = drawn.budget === undefined ? undefined : 'enabled'
    return conversation({
      stream: drawn.stream,
      tools: [{ ...tool, schemaJson: drawn.schema, mark: { ttl: drawn.ttl } }],
      turns: drawn.system === undefined ? turns : [turn('system', ...drawn.system), ...turns],
      cache: {
        key: undefined,
        retention: undefined,
        mode: undefined,
        automatic: drawn.automatic ? { ttl: undefined } : undefined,
      },
      settings: {
        temperature: drawn.temperature,
        maxOutputTokens: drawn.max,
        reasoning: thinks
          ? { effort: drawn.effort, budgetTokens: drawn.budget, thinking, summary: undefined }
          : undefined,
        toolChoice: drawn.choice,
        user: drawn.user,
      },
    })
  })

function withoutPointers(value: Conversation): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, member: unknown) => (/^(?:pointer|automaticPointer)$/.test(key) ? undefined : member)),
  ) as unknown
}

test('a written body is UTF-8 whatever a string holds', () => {
  const { body } = dialect.write(conversation({ turns: [turn('user', text('\ud800é'))], settings: limited }), {
    model: 'm',
    marks,
  })
  expect(() => dialect.parse(body, {})).not.toThrow()
  expect(encode(new TextDecoder('utf-8', { fatal: true }).decode(body))).toEqual(body)
})
