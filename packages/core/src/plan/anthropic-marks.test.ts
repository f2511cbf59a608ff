import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { choices, markedBody, messagesPrompt, spaced } from '../dialects/testing/messages-bodies.ts'
import type { Prompt } from '../domain/prompt.ts'
import { invertEdits, splice } from '../json/splice.ts'
import { repairMarks, stripMarks } from './anthropic-marks.ts'

const short = { type: 'ephemeral' }
const long = { type: 'ephemeral', ttl: '1h' }
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
const text = (words: string, mark?: object): object => {
  return { type: 'text', text: words, ...(mark === undefined ? {} : { cache_control: mark }) }
}
const user = (...content: object[]): object => ({ role: 'user', content })
const assistant = (...content: object[]): object => ({ role: 'assistant', content })

function repaired(body: object): { body: unknown; codes: string[]; wheres: string[] } {
  const prompt = messagesPrompt(body)
  const { edits, warnings } = repairMarks(prompt)
  return {
    body: JSON.parse(decode(splice(prompt.body, edits))) as unknown,
    codes: warnings.map(({ code }) => code),
    wheres: warnings.map(({ where }) => where),
  }
}

describe('D-13 no more marks than the API takes', () => {
  test('D-13 of five client marks the earliest in messages goes, ends of tools and system stay, lives untouched', () => {
    const { body, codes, wheres } = repaired({
      tools: [{ name: 'f', input_schema: {}, cache_control: long }],
      system: [text('Rules.', long)],
      messages: [user(text('a', short)), user(text('b', short)), user(text('c', short))],
    })
    expect(body).toMatchObject({
      tools: [{ cache_control: long }],
      system: [{ cache_control: long }],
      messages: [
        { content: [{ type: 'text', text: 'a' }] },
        { content: [{ cache_control: short }] },
        { content: [{ cache_control: short }] },
      ],
    })
    expect(JSON.stringify(body)).not.toContain('"a","cache_control"')
    expect([codes, wheres]).toEqual([['mark_dropped'], ['/messages/0/content/0']])
  })

  test('D-13 marks inside tools and system that end nothing go before their ends', () => {
    const tools = ['a', 'b', 'c'].map((name) => ({ name, input_schema: {}, cache_control: short }))
    const { wheres } = repaired({ tools, system: [text('x', short), text('y', short)], messages: [user(text('q'))] })
    expect(wheres).toEqual(['/tools/0'])
  })

  test('D-13 the automatic mark takes one of the four places', () => {
    const marked = ['a', 'b', 'c', 'd'].map((words) => user(text(words, short)))
    const { body, wheres } = repaired({ cache_control: short, messages: [...marked, user(text('last'))] })
    expect(wheres).toEqual(['/messages/0/content/0'])
    expect(body).toMatchObject({ cache_control: short })
  })

  test('D-13 an automatic mark of another life than that of the last block is taken out, an equal one is free', () => {
    const conflicting = repaired({ cache_control: long, messages: [user(text('a', short))] })
    expect([conflicting.codes, conflicting.wheres]).toEqual([['mark_dropped'], ['/cache_control']])
    expect(conflicting.body).not.toHaveProperty('cache_control')
    const marked = ['a', 'b', 'c', 'd'].map((words) => user(text(words, short)))
    expect(repaired({ cache_control: short, messages: marked }).codes).toEqual([])
  })

  test('D-13 the mark that an automatic one shares stays where others have to go', () => {
    const later = { type: 'later_block', content: 'x', cache_control: short }
    const shared = user(text('d', short), later)
    const { body, wheres } = repaired({
      cache_control: short,
      messages: [...['a', 'b', 'c'].map((words) => user(text(words, short))), shared],
    })
    expect(wheres).toEqual(['/messages/0/content/0'])
    expect(body).toMatchObject({
      cache_control: short,
      messages: [{}, {}, {}, { content: [{ cache_control: short }, {}] }],
    })
  })
})

test('D-13 a block that is taken out holds no mark and takes none', () => {
  const tools = [{ name: 'f', input_schema: {}, cache_control: short }]
  const gone = '{"type":"text","text":"gone"}'
  const messages = '[{"role":"user","content":""}]'
  const prompt = messagesPrompt(
    `{"model":"m","max_tokens":1,"cache_control":${JSON.stringify(long)},"tools":${JSON.stringify(tools)},"system":[${gone}],"messages":${messages}}`,
  )
  expect(repairMarks(prompt).edits).toEqual([])
  const start = decode(prompt.body).indexOf(gone)
  const { warnings } = repairMarks(prompt, [{ start, end: start + gone.length }])
  expect(warnings).toMatchObject([{ code: 'mark_dropped', where: '/cache_control' }])
})

test('D-15 a wrong order of lives is the client own: it stays and is warned of', () => {
  const body = { system: [text('Rules.', short)], messages: [user(text('a', long))] }
  const prompt = messagesPrompt(body)
  const { edits, warnings } = repairMarks(prompt)
  expect(edits).toEqual([])
  expect(warnings).toMatchObject([{ code: 'mark_order', where: '/messages/0/content/0' }])
})

test('D-16 a mark on an empty text block moves to the block before, its text carried as it stands', () => {
  const prompt = messagesPrompt(
    `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"a" }, {"type":"text","text":"","cache_control": {"ttl":"1h", "type":"ephemeral"}}]}]}`,
  )
  const { edits, warnings } = repairMarks(prompt)
  expect(decode(splice(prompt.body, edits))).toBe(
    `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"ttl":"1h", "type":"ephemeral"} }, {"type":"text","text":""}]}]}`,
  )
  expect(warnings).toMatchObject([{ code: 'mark_moved', where: '/messages/0/content/1' }])
})

test('D-16 a string before becomes the block that the API takes it for', () => {
  const { body } = repaired({ messages: [{ role: 'user', content: 'a' }, assistant(text('', short))] })
  expect(body).toMatchObject({
    messages: [{ content: [{ type: 'text', text: 'a', cache_control: short }] }, { content: [{ text: '' }] }],
  })
})

test('D-16 a null mark in the block before is replaced, not repeated', () => {
  const before = { type: 'text', text: 'a', cache_control: null }
  const prompt = messagesPrompt({ messages: [user(before, text('', long))] })
  const out = decode(splice(prompt.body, repairMarks(prompt).edits))
  expect(out.match(/cache_control/g)).toHaveLength(1)
  expect(JSON.parse(out)).toMatchObject({ messages: [{ content: [{ cache_control: long }, { text: '' }] }] })
})

test('D-17 a mark on a thinking block moves back, or goes where the block before has one', () => {
  const thinking = { type: 'thinking', thinking: 'hm', signature: 's', cache_control: short }
  const moved = repaired({ messages: [user(text('q')), assistant(thinking)] })
  expect(moved.body).toMatchObject({ messages: [{ content: [{ cache_control: short }] }, {}] })
  expect(moved.codes).toEqual(['mark_moved'])
  const redacted = { type: 'redacted_thinking', data: 'x', cache_control: short }
  expect(repaired({ messages: [user(text('q', short)), assistant(redacted)] }).codes).toEqual(['mark_dropped'])
})

test('D-18 a mark on a deferred tool moves to the tool before; without one it goes', () => {
  const deferred = { name: 'late', input_schema: {}, defer_loading: true, cache_control: short }
  const messages = [user(text('q'))]
  const moved = repaired({ tools: [{ name: 'f', input_schema: {} }, deferred], messages })
  expect(moved.body).toMatchObject({ tools: [{ cache_control: short }, { defer_loading: true }] })
  expect(repaired({ tools: [deferred], messages }).codes).toEqual(['mark_dropped'])
  expect(repaired({ tools: [{ ...deferred, defer_loading: false }], messages }).codes).toEqual([])
})

test('a mark inside a tool result or document moves to the block itself', () => {
  const result = { type: 'tool_result', tool_use_id: 't', content: [text('a', long), text('b')] }
  const document = { type: 'document', source: { type: 'content', content: [text('c', short)] } }
  const { body, wheres } = repaired({ messages: [user(result, document)] })
  expect(body).toMatchObject({ messages: [{ content: [{ cache_control: long }, { cache_control: short }] }] })
  expect(wheres).toEqual(['/messages/0/content/0/content/0', '/messages/0/content/1/source/content/0'])
})

test('what a tool was called with is never read as a mark', () => {
  const input = { cache_control: { type: 'ephemeral' }, content: [text('', short)] }
  const prompt = messagesPrompt({ messages: [assistant({ type: 'tool_use', id: 't', name: 'f', input })] })
  expect([repairMarks(prompt).edits, stripMarks(prompt), prompt.breakpoints]).toEqual([[], [], []])
})

test('D-14 stripping takes out every mark and nothing else', () => {
  fc.assert(
    fc.property(markedBody, choices, (body, choose) => {
      const prompt = messagesPrompt(spaced(body, choose))
      const stripped = splice(prompt.body, stripMarks(prompt))
      const withoutMarks = JSON.parse(JSON.stringify(body), (key, value: unknown) =>
        // The one that is an argument stays.
        isObject(value) && !('b' in value) ? without(value) : value,
      ) as unknown
      expect(JSON.parse(decode(stripped))).toEqual(withoutMarks)
      expect(splice(stripped, invertEdits(prompt.body, stripMarks(prompt)))).toEqual(prompt.body)
    }),
  )
})

test('D-13 D-16 D-17 D-18 after repair nothing repairable is wrong, undoing gives the bytes back, and nothing is left to do', () => {
  fc.assert(
    fc.property(markedBody, choices, (body, choose) => {
      const prompt = messagesPrompt(spaced(body, choose))
      const { edits } = repairMarks(prompt)
      const bytes = splice(prompt.body, edits)
      const after = messagesPrompt(decode(bytes))
      expect(violations(after)).toEqual([])
      expect(splice(bytes, invertEdits(prompt.body, edits))).toEqual(prompt.body)
      expect(repairMarks(after).edits).toEqual([])
      expect(edits.length > 0).toBe(violations(prompt).length > 0)
    }),
    { numRuns: 400 },
  )
})

interface Marked {
  readonly type?: string
  readonly text?: string
  readonly defer_loading?: boolean
  readonly cache_control?: { readonly ttl?: string }
  readonly content?: string | readonly Marked[]
}

/** The same rules again, told on the parsed body. */
function violations(prompt: Prompt): string[] {
  const body = JSON.parse(decode(prompt.body)) as {
    tools?: Marked[]
    system?: string | Marked[]
    messages: { content: string | Marked[] }[]
    cache_control?: { ttl?: string }
  }
  const listOf = (content: string | readonly Marked[] | undefined): readonly Marked[] =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? [])
  const blocks = [...listOf(body.system), ...body.messages.flatMap(({ content }) => listOf(content))]
  const found: string[] = []
  const places = [...(body.tools ?? []), ...blocks]
  for (const place of places) {
    const inner = typeof place.content === 'string' ? [] : (place.content ?? [])
    if (inner.some((child) => child.cache_control !== undefined)) found.push('inner')
    if (place.cache_control === undefined) continue
    if (place.type === 'text' && place.text === '') found.push('empty')
    if (place.type === 'thinking') found.push('thinking')
    if (place.defer_loading === true) found.push('deferred')
  }
  const marks = places.filter((place) => place.cache_control !== undefined).length
  const last = places.findLast(
    ({ type, text: words, defer_loading: deferred }) =>
      !['thinking', 'later_block'].includes(type ?? '') && words !== '' && deferred !== true,
  )?.cache_control
  const moving = body.cache_control
  if (moving !== undefined && last !== undefined && (moving.ttl ?? '5m') !== (last.ttl ?? '5m')) found.push('conflict')
  if (marks + (moving === undefined || last !== undefined ? 0 : 1) > 4) found.push('many')
  return found
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function without(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'cache_control'))
}
