import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Prompt } from '../../domain/prompt.ts'
import { encode, errorOf, slice } from '../testing/generations.ts'
import { choices, markedBody, messagesPrompt, spaced } from '../testing/messages-bodies.ts'
import { createAnthropicMessages } from './index.ts'

const dialect = createAnthropicMessages()
const short = { type: 'ephemeral' }
const long = { type: 'ephemeral', ttl: '1h' }
const hello = { role: 'user', content: 'hello' }

const agentBody = `{ "messages" : [
  {"role":"user","content":[
    {"type":"text","text":"Handbook","incipit":{"segment":"knowledge_context"}},
    {"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}]},
  {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{ "b":1,"a":2}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[
    {"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"},"cache_control":{"type":"ephemeral","ttl":"1h"}}]}]},
  {"role":"user","content":[{"type":"text","text":"So?","cache_control":{"type":"ephemeral"}}]} ],
  "system":[{"type":"text","text":"Rules."},{"type":"text","text":"Policy.","incipit":{"segment":"policy_preamble"},"cache_control":{"type":"ephemeral","ttl":"1h"}}],
  "model":"claude-opus-5","max_tokens":64,"stream":true,
  "tools":[{"name":"f","input_schema":{"type":"object","b":1,"a":2},"cache_control":{"type":"ephemeral"}}],
  "tool_choice": {"type":"auto"}, "thinking":{"type":"adaptive"}, "output_config":{"effort":"low"}, "speed":null,
  "prompt_cache_isolation_key":"k","metadata":{"user_id":"m1"} }`

test('segments come in the order rendered, whatever the order sent, with kinds and spans of the client bytes', () => {
  const prompt = messagesPrompt(agentBody)
  expect(prompt.segments.map(({ kind, role, pointer }) => [kind, role, pointer])).toEqual([
    ['tools', 'tool', '/tools/0'],
    ['system_instructions', 'system', '/system/0'],
    ['policy_preamble', 'system', '/system/1'],
    ['knowledge_context', 'user', '/messages/0/content/0'],
    ['conversation_history', 'user', '/messages/0/content/1'],
    ['conversation_history', 'assistant', '/messages/1'],
    ['conversation_history', 'user', '/messages/2'],
    ['user_message', 'user', '/messages/3'],
  ])
  expect(slice(prompt, prompt.segments[5]?.span)).toBe(
    '{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{ "b":1,"a":2}}]}',
  )
})

test('a system text is one segment, and none without it', () => {
  const prompt = messagesPrompt({ system: 'Rules.', messages: [hello] })
  expect(prompt.segments.map(({ kind, pointer }) => [kind, pointer])).toEqual([
    ['system_instructions', '/system'],
    ['user_message', '/messages/0'],
  ])
  expect(slice(prompt, prompt.segments[0]?.span)).toBe('"Rules."')
})

test('D-27 P-9 thinking, effort and tool choice are part of the profile, raw; the limit of the answer is not', () => {
  const prompt = messagesPrompt(agentBody)
  expect(prompt.profile).toEqual({
    tool_choice: '{"type":"auto"}',
    thinking: '{"type":"adaptive"}',
    output_config: '{"effort":"low"}',
  })
  expect(prompt).toMatchObject({ model: 'claude-opus-5', stream: true, isolationKey: 'k' })
  expect(prompt.identity.metadataUserId).toBe('m1')
})

test('P-10 images and documents are found, also inside tool results', () => {
  const attachments = messagesPrompt(agentBody).segments.flatMap((segment) => segment.attachments)
  expect(attachments.map(({ kind, pointer }) => [kind, pointer])).toEqual([
    ['image', '/messages/0/content/1'],
    ['document', '/messages/2/content/0/content/0'],
  ])
})

test('breakpoints stand in render order; one inside a tool result counts to the result', () => {
  const prompt = messagesPrompt(agentBody)
  expect(prompt.breakpoints.map(({ pointer, ttl }) => [pointer, ttl])).toEqual([
    ['/tools/0', '5m'],
    ['/system/1', '1h'],
    ['/messages/2/content/0', '1h'],
    ['/messages/3/content/0', '5m'],
  ])
  const end = prompt.breakpoints[3]?.end ?? 0
  expect(slice(prompt, { start: end - 7, end })).toBe('eral"}}')
})

test('an automatic mark is a breakpoint at the last block that takes one', () => {
  const thinking = { type: 'thinking', thinking: 'hm', signature: 's' }
  const messages = [hello, { role: 'assistant', content: [{ type: 'text', text: 'a' }, thinking] }]
  const at = (body: object): [string, string][] =>
    messagesPrompt({ cache_control: long, ...body }).breakpoints.map(({ pointer, ttl }) => [pointer, ttl])
  expect(at({ messages })).toEqual([['/messages/1/content/0', '1h']])
  expect(at({ messages: [hello] })).toEqual([['/messages/0/content', '1h']])
  const marked = { role: 'user', content: [{ type: 'text', text: 'a', cache_control: short }] }
  expect(at({ messages: [marked] })).toEqual([['/messages/0/content/0', '5m']])
})

test('S-6 marks and labels are holes: what is left is what is rendered', () => {
  const plain = `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"}]}]}`
  const marked = `{"incipit":{"segment":"user_message"},"role":"user","content":[{"cache_control":{"type":"ephemeral"},"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x","cache_control":null}]}]}`
  const [one, other] = [plain, marked].map((message) => {
    return rendered(messagesPrompt(`{"model":"m","messages":[${message}]}`))
  })
  expect(other).toEqual(one)
})

test('spacing and escapes move spans and nothing else', () => {
  fc.assert(
    fc.property(markedBody, choices, (body, choose) => {
      const [plain, varied] = [messagesPrompt(body), messagesPrompt(spaced(body, choose))]
      const shape = ({ segments, breakpoints, model, stream }: Prompt): unknown => ({
        segments: segments.map(({ kind, role, pointer, holes, attachments }) => {
          return { kind, role, pointer, holes: holes?.length, attachments: attachments.map(({ pointer: at }) => at) }
        }),
        breakpoints: breakpoints.map(({ pointer, ttl }) => ({ pointer, ttl })),
        model,
        stream,
      })
      expect(shape(varied)).toEqual(shape(plain))
      expect(rendered(varied).map((text) => JSON.parse(text) as unknown)).toEqual(
        rendered(plain).map((text) => JSON.parse(text) as unknown),
      )
      for (const { pointer, end } of varied.breakpoints) {
        const segment = varied.segments.find(({ pointer: at }) => pointer === at || pointer.startsWith(`${at}/`))
        expect(end ?? 0).toBeLessThanOrEqual(segment?.span.end ?? -1)
      }
    }),
  )
})

test.each([
  ['/messages', { messages: [] }],
  ['/messages', {}],
  ['/messages/0/role', { messages: [{ content: 'x' }] }],
  ['/system', { system: 7, messages: [hello] }],
  ['/model', { model: '', messages: [hello] }],
  ['/messages/0/incipit/segment', { messages: [{ ...hello, incipit: { segment: 'tools' } }] }],
])('a wrong body is told by its pointer: %s', (param, body) => {
  expect(errorOf(() => messagesPrompt(body))).toMatchObject({ param, status: 400 })
})

test('a body for counting tokens needs no limit', () => {
  expect(dialect.parse(encode({ model: 'm', messages: [hello] }), {}).segments).toHaveLength(1)
})

/** Segments without their holes. */
function rendered(prompt: Prompt): string[] {
  return prompt.segments.map(({ span, holes = [] }) => {
    let text = ''
    let at = span.start
    for (const hole of holes) {
      text += slice(prompt, { start: at, end: hole.start })
      at = hole.end
    }
    return text + slice(prompt, { start: at, end: span.end })
  })
}
