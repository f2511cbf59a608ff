import { describe, expect, test } from 'vitest'
import { createAnthropicMessages } from '../dialects/anthropic-messages/index.ts'
import { createOpenaiChat } from '../dialects/openai-chat/index.ts'
import { createOpenaiResponses } from '../dialects/openai-responses/index.ts'
import { createWorkersAi } from '../dialects/workers-ai/index.ts'
import type { Dialect } from '../domain/dialect.ts'
import { splice } from '../json/splice.ts'
import { passingEdits } from './passing-edits.ts'
import { withSaltText } from './salt-text.ts'

const [chat, responses, messages, workersAi] = [
  createOpenaiChat(),
  createOpenaiResponses(),
  createAnthropicMessages(),
  createWorkersAi(),
]
const user = '"messages":[{"role":"user","content":"Hi"}]'

function salted(dialect: Dialect, body: string, stripBillingBlock = false): unknown {
  const prompt = dialect.parse(new TextEncoder().encode(body), { pathModel: 'm' })
  const edits = passingEdits(prompt, { model: 'm', streamUsage: false, stripBillingBlock, saltText: 'S"' })
  return JSON.parse(new TextDecoder().decode(splice(prompt.body, edits)))
}

describe('F-3 a text of the scope stands before all instructions', () => {
  test('of Chat, as a message of its own', () => {
    expect(salted(chat, `{${user}}`)).toMatchObject({ messages: [{ role: 'system', content: 'S"' }, { role: 'user' }] })
  })

  test('of Responses: before its instructions, else its input, else as the instructions', () => {
    expect(salted(responses, '{"instructions":"I","input":"Hi"}')).toEqual({ instructions: 'S"\nI', input: 'Hi' })
    expect(salted(responses, '{"instructions":null,"input":"Hi"}')).toEqual({ instructions: null, input: 'S"\nHi' })
    expect(salted(responses, '{"input":[]}')).toEqual({ input: [{ role: 'system', content: 'S"' }] })
    const stored = '{"previous_response_id":"resp_1","instructions":null}'
    expect(salted(responses, stored)).toEqual({ previous_response_id: 'resp_1', instructions: 'S"' })
  })

  test.each([
    [`{${user}}`, [{ type: 'text', text: 'S"' }]],
    [`{"system":null,${user}}`, [{ type: 'text', text: 'S"' }]],
    [`{"system":"I",${user}}`, 'S"\nI'],
    [`{"system":[],${user}}`, [{ type: 'text', text: 'S"' }]],
    [
      `{"system":[ {"type":"text","text":"I"}],${user}}`,
      [
        { type: 'text', text: 'S"' },
        { type: 'text', text: 'I' },
      ],
    ],
    // The line of Claude Code, alone, goes at the same time.
    [
      `{"system":[{"type":"text","text":"x-anthropic-billing-header: cch=1;"}],${user}}`,
      [{ type: 'text', text: 'S"' }],
    ],
    [`{"system":"x-anthropic-billing-header: cch=1;\\nI",${user}}`, 'S"\nI'],
  ])('of Messages: %s', (body, system) => {
    expect(salted(messages, body, true)).toMatchObject({ system })
  })

  test('of a Workers AI prompt', () => {
    expect(salted(workersAi, '{"prompt":"Hi"}')).toEqual({ prompt: 'S"\nHi' })
  })
})

describe('F-3 and in the first tool, which is rendered before them', () => {
  test.each([
    [
      'Chat',
      chat,
      '[{"type":"function","function":{"name":"a","description":"D"}},{"type":"function","function":{"name":"b"}}]',
    ],
    ['Messages', messages, '[{"name":"a","description":"D"},{"name":"b"}]'],
    ['Workers AI', workersAi, '[{"name":"a","description":"D"},{"name":"b"}]'],
  ])('of %s', (_, dialect, tools) => {
    const expected = JSON.parse(tools.replace('"D"', '"S\\"\\nD"')) as unknown
    expect(salted(dialect, `{"tools":${tools},${user}}`)).toMatchObject({ tools: expected })
    const absent = JSON.parse(tools.replace('"D"', '"S\\""')) as unknown
    expect(salted(dialect, `{"tools":${tools.replace(',"description":"D"', '')},${user}}`)).toMatchObject({
      tools: absent,
    })
    expect(salted(dialect, `{"tools":${tools.replace('"D"', 'null')},${user}}`)).toMatchObject({ tools: absent })
  })

  test('of Responses and of functions as Chat once had them', () => {
    const tools = '[{"type":"function","name":"a"}]'
    const salt = [{ name: 'a', description: 'S"' }]
    expect(salted(responses, `{"tools":${tools},"input":"Hi"}`)).toMatchObject({ tools: salt })
    expect(salted(chat, `{"functions":[{"name":"a"}],${user}}`)).toMatchObject({ functions: salt })
  })

  test('that is described by the client and in the prefix: not one of the provider, not one loaded later', () => {
    const hosted = { type: 'web_search_20250305', name: 'web_search' }
    const later = { name: 'later', defer_loading: true }
    const body = { model: 'm', tools: [hosted, later, { name: 'a' }], messages: [{ role: 'user', content: 'Hi' }] }
    expect(salted(messages, JSON.stringify(body))).toMatchObject({ tools: [hosted, later, { description: 'S"' }] })
    const none = { ...body, tools: [hosted] }
    expect(salted(messages, JSON.stringify(none))).toMatchObject({ tools: [hosted] })
  })
})

test('F-3 a conversation for another dialect begins with it in both places', () => {
  const body = `{"model":"m","tools":[{"type":"web_search_1","name":"w"},{"name":"a","description":"D"},{"name":"b"}],"system":"I",${user}}`
  const conversation = messages.read(messages.parse(new TextEncoder().encode(body), {}))
  const { tools, turns } = withSaltText(conversation, 'S')
  expect(tools.map((tool) => (tool.kind === 'function' ? tool.description : tool.kind))).toEqual([
    'hosted',
    'S\nD',
    undefined,
  ])
  expect(
    turns.map(({ role, blocks }) => [role, blocks.map((block) => (block.kind === 'text' ? block.text : ''))]),
  ).toEqual([
    ['system', ['S']],
    ['system', ['I']],
    ['user', ['Hi']],
  ])
})
