import { describe, expect, test } from 'vitest'
import { createAnthropicMessages } from '../dialects/anthropic-messages/index.ts'
import { createOpenaiChat } from '../dialects/openai-chat/index.ts'
import { createOpenaiResponses } from '../dialects/openai-responses/index.ts'
import type { Dialect } from '../domain/dialect.ts'
import { invertEdits, splice } from '../json/splice.ts'
import type { PassingNeeds } from './passing-edits.ts'
import { bodyAsksForUsage, passingEdits } from './passing-edits.ts'

const [chat, responses, messages] = [createOpenaiChat(), createOpenaiResponses(), createAnthropicMessages()]
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** The body as it would be sent, after a check that undoing gives back what came. */
function passed(dialect: Dialect, body: string, needs: Partial<PassingNeeds> = {}): string {
  const bytes = encode(body)
  const edits = passingEdits(dialect.parse(bytes, {}), {
    model: 'm',
    streamUsage: false,
    stripBillingBlock: false,
    ...needs,
  })
  const sent = splice(bytes, edits)
  expect(decode(splice(sent, invertEdits(bytes, edits)))).toBe(body)
  expect(() => void JSON.parse(decode(sent))).not.toThrow()
  return decode(sent)
}

const user = '"messages":[{"role":"user","content":"Hi"}]'

test('a body that needs nothing gets no edits', () => {
  const body = encode(`{ "model" : "m", "b":1.0, ${user}, "a":1e3 }`)
  const prompt = chat.parse(body, {})
  expect(passingEdits(prompt, { model: 'm', streamUsage: false, stripBillingBlock: true })).toEqual([])
})

test.each([
  [`{"model":"m","incipit":{},${user}}`, `{"model":"m",${user}}`],
  [`{"incipit":{}, "model":"m",${user}}`, `{"model":"m",${user}}`],
  [`{"model":"m",${user},"prompt_cache_isolation_key":"k" , "incipit":1}`, `{"model":"m",${user}}`],
  [`{"incipit":{},"incipit":{},"model":"m",${user},"incipit":{}}`, `{"model":"m",${user}}`],
  [`{"\\u0069ncipit":{},"model":"m",${user}}`, `{"model":"m",${user}}`],
])('fields of the gateway go, each with its comma: %s', (body, expected) => {
  expect(passed(chat, body)).toBe(expected)
})

describe('labels go wherever they may stand', () => {
  const label = '"incipit":{"segment":"policy_preamble"}'

  test('on a message of which a part is labelled, too', () => {
    const body = (own: string, part: string): string =>
      `{"model":"m","messages":[{"role":"user",${own}"content":[{"type":"text","text":"a"${part}}]}]}`
    expect(passed(chat, body(`${label},`, `,${label}`))).toBe(body('', ''))
    expect(passed(messages, body(`${label},`, `,${label}`))).toBe(body('', ''))
    const input = (own: string, part: string): string =>
      `{"model":"m","input":[{"role":"user",${own}"content":[{"type":"input_text","text":"a"${part}}]}]}`
    expect(passed(responses, input(`${label},`, `,${label}`))).toBe(input('', ''))
  })

  test('with their name escaped, on tools, on system blocks and inside results', () => {
    const body = (part: string): string =>
      `{"model":"m","tools":[{"name":"t"${part}}],"system":[{"type":"text","text":"s"${part}}],"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"r"${part}}]}]}]}`
    expect(passed(messages, body(`,${label.replace('i', '\\u0069')}`))).toBe(body(''))
  })

  test('and stay where they are the client’s own data', () => {
    const body = `{"model":"m","tools":[{"name":"t","input_schema":{"incipit":{}}}],"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"t","input":{${label}},"cache_control":{"type":"ephemeral"}}]}]}`
    expect(passed(messages, body)).toBe(body)
  })

  test('with the block they stand on, where that is left out', () => {
    const body = (first: string): string =>
      `{"model":"m","system":[${first}{"type":"text","text":"s"}],"messages":[{"role":"user","content":"Hi"}]}`
    const billing = `{"type":"text","text":"x-anthropic-billing-header: cch=1;",${label}},`
    expect(passed(messages, body(billing), { stripBillingBlock: true })).toBe(body(''))
  })
})

describe('usage is asked for', () => {
  test.each([
    [`{"model":"m",${user}}`, `{"stream_options":{"include_usage":true},"model":"m",${user}}`],
    [`{"stream_options":null,"model":"m",${user}}`, `{"stream_options":{"include_usage":true},"model":"m",${user}}`],
    [`{"stream_options":{ },"model":"m",${user}}`, `{"stream_options":{"include_usage":true },"model":"m",${user}}`],
    [
      `{"stream_options":{"x":1},"model":"m",${user}}`,
      `{"stream_options":{"include_usage":true,"x":1},"model":"m",${user}}`,
    ],
    [
      `{"stream_options":{"include_usage":false},"model":"m",${user}}`,
      `{"stream_options":{"include_usage":true},"model":"m",${user}}`,
    ],
  ])('in %s', (body, expected) => {
    expect(passed(chat, body, { streamUsage: true })).toBe(expected)
  })

  test('not again where the client asks itself, nor in what the upstream will refuse', () => {
    const asks = `{"stream_options":{"include_usage":true},"model":"m",${user}}`
    expect(bodyAsksForUsage(chat.parse(encode(asks), {}))).toBe(true)
    expect(passed(chat, asks, { streamUsage: true })).toBe(asks)
    const wrong = `{"stream_options":"yes","model":"m",${user}}`
    expect(bodyAsksForUsage(chat.parse(encode(wrong), {}))).toBe(false)
    expect(passed(chat, wrong, { streamUsage: true })).toBe(wrong)
  })
})

test('the model is renamed where it counts: the last of its name', () => {
  const body = `{"model":"x","model": "m" ,${user}}`
  expect(passed(chat, body, { model: 'a/"b"' })).toBe(`{"model":"x","model": "a/\\"b\\"" ,${user}}`)
})

test('the field of isolation takes the place of the client’s own, or stands first', () => {
  const isolationField = { name: 'cache_salt', value: 'inc_1' }
  expect(passed(chat, `{"model":"m",${user}}`, { isolationField })).toBe(`{"cache_salt":"inc_1","model":"m",${user}}`)
  for (const own of ['"mine"', 'null', '["mine"]']) {
    const body = `{"model":"m",${user},"cache_salt":${own}}`
    expect(passed(chat, body, { isolationField })).toBe(`{"model":"m",${user},"cache_salt":"inc_1"}`)
  }
})

test('all edits together leave a body that is JSON, and the one wanted', () => {
  const body = `{"incipit":{},"model":"m",${user},"prompt_cache_isolation_key":"k"}`
  const needs = {
    model: 'n',
    streamUsage: true,
    isolationField: { name: 'cache_salt', value: 'inc_1' },
    saltText: '[scope]',
  }
  expect(JSON.parse(passed(chat, body, needs))).toEqual({
    stream_options: { include_usage: true },
    cache_salt: 'inc_1',
    model: 'n',
    messages: [
      { role: 'system', content: '[scope]' },
      { role: 'user', content: 'Hi' },
    ],
  })
})
