import type { Json } from './sent-body.ts'
import type { Source } from './targets.ts'

/** A part of a body that few dialects have a word for. */
export interface OwnPartCase {
  readonly name: string
  readonly source: Source
  readonly body: Readonly<Record<string, Json>>
  readonly pointer: string
  /** What stands in the dialects that have it, beside the client's own. */
  readonly sent?: Readonly<Partial<Record<Source, Json>>>
  /** The warning elsewhere. */
  readonly code: 'tool_not_carried' | 'block_not_carried' | 'field_not_carried' | 'value_changed'
}

const hello = [{ role: 'user', content: 'hello' }]
const schema = { type: 'object' }
const called = {
  messages: { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input: {} }] },
}

export const ownParts: readonly OwnPartCase[] = [
  {
    name: 'a search that Anthropic runs',
    source: 'anthropic-messages',
    body: { max_tokens: 9, tools: [{ type: 'web_search_20250305', name: 'web_search' }], messages: hello },
    pointer: '/tools/0',
    code: 'tool_not_carried',
  },
  {
    name: 'a search that OpenAI runs',
    source: 'openai-responses',
    body: { tools: [{ type: 'web_search' }], input: 'hello' },
    pointer: '/tools/0',
    code: 'tool_not_carried',
  },
  {
    name: 'a tool with a grammar',
    source: 'openai-chat',
    body: { tools: [{ type: 'custom', custom: { name: 'g' } }], messages: hello },
    pointer: '/tools/0',
    code: 'tool_not_carried',
  },
  {
    name: 'signed thinking',
    source: 'anthropic-messages',
    body: {
      max_tokens: 9,
      messages: [
        ...hello,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 'c2lnbmVk' },
            { type: 'text', text: 'well' },
          ],
        },
        ...hello,
      ],
    },
    pointer: '/messages/1/content/0',
    code: 'block_not_carried',
  },
  {
    name: 'redacted thinking',
    source: 'anthropic-messages',
    body: {
      max_tokens: 9,
      messages: [
        ...hello,
        {
          role: 'assistant',
          content: [
            { type: 'redacted_thinking', data: 'c2VhbGVk' },
            { type: 'text', text: 'well' },
          ],
        },
        ...hello,
      ],
    },
    pointer: '/messages/1/content/0',
    code: 'block_not_carried',
  },
  {
    name: 'encrypted reasoning',
    source: 'openai-responses',
    body: {
      input: [
        ...hello,
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'c2VhbGVk' },
        { role: 'assistant', content: 'well' },
        ...hello,
      ],
    },
    pointer: '/input/1',
    code: 'block_not_carried',
  },
  {
    name: 'reasoning of an open model',
    source: 'openai-chat',
    body: { messages: [...hello, { role: 'assistant', reasoning_content: 'hm', content: 'well' }, ...hello] },
    pointer: '/messages/1/reasoning_content',
    code: 'block_not_carried',
  },
  {
    name: 'a refusal of an earlier turn',
    source: 'openai-chat',
    body: { messages: [...hello, { role: 'assistant', content: null, refusal: 'I will not.' }, ...hello] },
    pointer: '/messages/1/refusal',
    sent: { 'openai-responses': { type: 'refusal', refusal: 'I will not.' } },
    code: 'value_changed',
  },
  {
    name: 'a tool that is loaded later',
    source: 'anthropic-messages',
    body: {
      max_tokens: 9,
      tools: [
        { name: 'f', input_schema: schema },
        { name: 'g', input_schema: schema, defer_loading: true },
      ],
      messages: hello,
    },
    pointer: '/tools/1/defer_loading',
    sent: { 'openai-responses': { name: 'g', defer_loading: true } },
    code: 'field_not_carried',
  },
  {
    name: 'a call that failed',
    source: 'anthropic-messages',
    body: {
      max_tokens: 9,
      tools: [{ name: 'f', input_schema: schema }],
      messages: [
        ...hello,
        called.messages,
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: 'broken', is_error: true }] },
      ],
    },
    pointer: '/messages/2/content/0/is_error',
    code: 'field_not_carried',
  },
  {
    name: 'the name of a speaker',
    source: 'openai-chat',
    body: { messages: [{ role: 'user', name: 'Ann', content: 'hello' }] },
    pointer: '/messages/0/name',
    sent: { 'workers-ai': { name: 'Ann' } },
    code: 'field_not_carried',
  },
  {
    name: 'an unknown member of a message',
    source: 'openai-chat',
    body: { messages: [{ role: 'user', content: 'hello', weight: 1 }] },
    pointer: '/messages/0/weight',
    code: 'field_not_carried',
  },
  {
    name: 'an unknown part of a message',
    source: 'openai-chat',
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'hologram', hologram: 'x' },
            { type: 'text', text: 'y' },
          ],
        },
      ],
    },
    pointer: '/messages/0/content/0',
    code: 'block_not_carried',
  },
  {
    name: 'citations of a document',
    source: 'anthropic-messages',
    body: {
      max_tokens: 9,
      messages: [
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0x' },
              citations: { enabled: true },
            },
            { type: 'text', text: 'y' },
          ],
        },
      ],
    },
    pointer: '/messages/0/content/0/citations',
    code: 'field_not_carried',
  },
  {
    name: 'the result of a search',
    source: 'anthropic-messages',
    body: {
      max_tokens: 9,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'search_result', source: 'x', title: 'x', content: [{ type: 'text', text: 'x' }] },
            { type: 'text', text: 'y' },
          ],
        },
      ],
    },
    pointer: '/messages/0/content/0',
    code: 'block_not_carried',
  },
]
