import { describe, expect, test } from 'vitest'
import type { Block, Conversation, ConversationSettings, Tool, Turn } from '../../domain/conversation.ts'
import type { GenerationRequest } from '../../domain/generation.ts'
import { frame } from '../../domain/hasher.ts'
import { createOpenaiChat } from '../openai-chat/index.ts'
import { encode, errorOf, hasher } from '../testing/generations.ts'
import { toGeneration } from './to-generation.ts'

const dialect = createOpenaiChat()
const read = (body: object): Conversation => dialect.read(dialect.parse(encode({ model: 'm', ...body }), {}))
const silent = read({ messages: [{ role: 'user', content: 'x' }] })
const turn = (role: Turn['role'], ...blocks: Block[]): Turn => ({ role, pointer: `/${role}`, name: undefined, blocks })
const text = (text: string): Block => ({ kind: 'text', pointer: '/text', text })

function generate(fields: Partial<Conversation>, settings: Partial<ConversationSettings> = {}): GenerationRequest {
  return toGeneration({ ...silent, ...fields, settings: { ...silent.settings, ...settings } }, hasher)
}

describe('P-10 an attachment is a digest of its bytes, the same as ever', () => {
  const markerOf = (kind: string, fields: readonly string[]): string => {
    const digest = hasher.sha256(frame(['incipit/attachment/1', kind, ...fields]))
    return `[attachment:${kind}:${Buffer.from(digest).toString('hex').slice(0, 32)}]`
  }
  const pdf = 'data:application/pdf;base64,JVBE'

  test.each([
    [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA', detail: 'low' } },
      'image',
      ['detail', 'low', 'url', 'data:image/png;base64,AA'],
    ],
    [
      { type: 'image_url', image_url: { url: 'data:image/png;x=1;base64,AA' } },
      'image',
      ['url', 'data:image/png;x=1;base64,AA'],
    ],
    [{ type: 'image_url', image_url: { url: 'https://x/y' } }, 'image', ['url', 'https://x/y']],
    [{ type: 'input_audio', input_audio: { format: 'wav', data: 'AA' } }, 'audio', ['data', 'AA', 'format', 'wav']],
    [{ type: 'file', file: { filename: 'a.pdf', file_data: pdf } }, 'file', ['file_data', pdf, 'filename', 'a.pdf']],
    [{ type: 'file', file: { file_id: 'f' } }, 'file', ['file_id', 'f']],
  ])('%j', (part, kind, fields) => {
    const { messages } = toGeneration(read({ messages: [{ role: 'user', content: [part] }] }), hasher)
    expect(messages[0]?.content).toBe(markerOf(kind, fields))
  })
})

test('tool results are messages of their own, also where they stand in a user message', () => {
  const result: Block = {
    kind: 'tool-result',
    pointer: '/r',
    callId: 'c',
    blocks: [text('4'), text('2')],
    isError: false,
  }
  expect(
    generate({ turns: [turn('user', result, text('So?')), turn('tool', { ...result, callId: '' })] }).messages,
  ).toEqual([
    { role: 'tool', content: '4\n2', toolCallId: 'c' },
    { role: 'user', content: 'So?' },
    { role: 'tool', content: '4\n2' },
  ])
})

test('thinking of earlier turns goes along apart from what was said; what is encrypted does not', () => {
  const thinking: Block = { kind: 'thinking', pointer: '/t', text: 'Hm', signature: undefined, json: '{}' }
  const redacted: Block = { kind: 'redacted-thinking', pointer: '/r', data: 'x', json: '{}' }
  const { messages } = generate({
    turns: [turn('assistant', thinking, redacted, { ...thinking, text: '' }, text('Yes'))],
  })
  expect(messages).toEqual([{ role: 'assistant', content: 'Yes', reasoning: 'Hm' }])
})

test('a turn without a word is still a turn', () => {
  expect(generate({ turns: [turn('assistant')] }).messages).toEqual([{ role: 'assistant', content: '' }])
})

test('a limit of 0 tokens stays 0: the prompt is evaluated and nothing generated', () => {
  expect(generate({}, { maxOutputTokens: 0 }).maxTokens).toBe(0)
})

test('names that objects inherit are no refusals', () => {
  const extras = [{ name: 'constructor', pointer: '/constructor', json: '1' }]
  expect(generate({ extras }).messages).toHaveLength(1)
})

const hosted: Tool = { kind: 'hosted', pointer: '/tools/0', type: 'web_search', json: '{}', mark: undefined }
const opaque: Block = { kind: 'opaque', pointer: '/input/3', type: 'computer_call', json: '{}' }

test.each<[Partial<Conversation>, string]>([
  [{ tools: [hosted] }, '/tools/0/type'],
  [{ turns: [turn('assistant', opaque)] }, '/input/3/type'],
  [{ extras: [{ name: 'n', pointer: '/n', json: '2' }] }, '/n'],
  [{ extras: [{ name: 'audio', pointer: '/audio', json: '{}' }] }, '/audio'],
])('what a local model cannot honour is refused in any dialect: %j', (fields, param) => {
  expect(errorOf(() => toGeneration({ ...silent, ...fields }, hasher))).toMatchObject({
    code: 'unsupported_feature',
    param,
  })
})
