import * as fc from 'fast-check'
import type { Prompt } from '../../domain/prompt.ts'
import { createAnthropicMessages } from '../anthropic-messages/index.ts'
import { encode } from './generations.ts'

const dialect = createAnthropicMessages()

/** A Messages body, an object or JSON text, with model and limit where it names none. */
export function messagesPrompt(body: string | object): Prompt {
  const full = typeof body === 'string' ? body : { model: 'claude-opus-5', max_tokens: 64, ...body }
  return dialect.parse(encode(full), {})
}

/** JSON text of a value with spaces where JSON allows them, and strings escaped in one of several ways. */
export function spaced(value: unknown, choose: () => number): string {
  const gap = (): string => ['', '', '', ' ', '\n', '\t ', '\r\n'][choose() % 7] ?? ''
  if (Array.isArray(value)) {
    return `[${gap()}${value.map((item) => spaced(item, choose) + gap()).join(`,${gap()}`)}]`
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([name, item]) => `${escaped(name, choose)}${gap()}:${gap()}${spaced(item, choose)}${gap()}`,
    )
    return `{${gap()}${members.join(`,${gap()}`)}}`
  }
  return typeof value === 'string' ? escaped(value, choose) : JSON.stringify(value)
}

function escaped(text: string, choose: () => number): string {
  const plain = JSON.stringify(text)
  if (choose() % 4 !== 0 || text === '') return plain
  const code = text.charCodeAt(0).toString(16).padStart(4, '0')
  return `"\\u${code}${JSON.stringify(text.slice(1)).slice(1)}`
}

/** A source of choices that fast-check can shrink. */
export const choices: fc.Arbitrary<() => number> = fc
  .array(fc.nat(1000), { minLength: 1, maxLength: 40 })
  .map((list) => {
    let at = 0
    return () => list[at++ % list.length] ?? 0
  })

const control = fc.constantFrom(
  { type: 'ephemeral' },
  { type: 'ephemeral', ttl: '5m' },
  { type: 'ephemeral', ttl: '1h' },
)

function maybeMarked(block: fc.Arbitrary<object>): fc.Arbitrary<object> {
  return fc.tuple(block, fc.option(control, { freq: 2, nil: undefined }), fc.boolean()).map(([value, mark, first]) => {
    if (mark === undefined) return value
    return first ? { cache_control: mark, ...value } : { ...value, cache_control: mark }
  })
}

const text = maybeMarked(
  fc.constantFrom('', 'a', 'hello "you"', 'é\u{1f600}').map((words) => ({ type: 'text', text: words })),
)
const image = maybeMarked(
  fc.constant({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }),
)
const result = maybeMarked(
  fc.oneof(
    fc.constant({ type: 'tool_result', tool_use_id: 't1', content: 'ok' }),
    fc.array(fc.oneof(text, image), { maxLength: 2 }).map((content) => ({
      type: 'tool_result',
      tool_use_id: 't1',
      content,
    })),
  ),
)
const thinking = maybeMarked(fc.constant({ type: 'thinking', thinking: 'hm', signature: 'c2ln' }))
const call = maybeMarked(
  fc.constant({ type: 'tool_use', id: 't1', name: 'f', input: { cache_control: { type: 'ephemeral' }, b: 1, a: 2 } }),
)
const found = maybeMarked(
  fc.array(text, { maxLength: 2 }).map((content) => ({ type: 'search_result', source: 's', title: 't', content })),
)
const unknown = maybeMarked(fc.constant({ type: 'later_block', content: 'x' }))

const userMessage = fc
  .oneof(
    fc.constantFrom('hi', ''),
    fc.array(fc.oneof(text, image, result, found, unknown), { minLength: 1, maxLength: 3 }),
  )
  .map((content) => ({ role: 'user', content }))
const assistantMessage = fc
  .oneof(fc.constant('yes'), fc.array(fc.oneof(text, thinking, call), { minLength: 1, maxLength: 3 }))
  .map((content) => ({ role: 'assistant', content }))
const tool = maybeMarked(
  fc.boolean().map((deferred) => {
    return { name: 'f', input_schema: { type: 'object' }, ...(deferred ? { defer_loading: true } : {}) }
  }),
)

/** Bodies with marks in all places, legal or not. */
export const markedBody: fc.Arbitrary<Record<string, unknown>> = fc
  .record({
    tools: fc.option(fc.array(tool, { maxLength: 3 }), { nil: undefined }),
    system: fc.option(fc.oneof(fc.constantFrom('', 'Rules.'), fc.array(text, { maxLength: 3 })), { nil: undefined }),
    messages: fc.array(fc.oneof(userMessage, assistantMessage), { minLength: 1, maxLength: 5 }),
    cache_control: fc.option(control, { freq: 3, nil: undefined }),
  })
  .map(
    (body) =>
      JSON.parse(JSON.stringify({ model: 'claude-opus-5', max_tokens: 64, ...body })) as Record<string, unknown>,
  )
