import type { Conversation } from './conversation.ts'
import type { SeededDraw } from './seeded-draw.ts'

/** What is sent, and what is expected of it. */
export interface SoakRequest {
  readonly kind: Kind
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
  readonly stream: boolean
  /** Milliseconds after which the client leaves; `undefined` = it stays. */
  readonly leavesAfterMs: number | undefined
  readonly expect: Expectation
}

/** `text` of an answer that keeps to `schema`, one `call`, vectors, or a refusal with a status. */
export type Expectation =
  | { readonly kind: 'text' | 'json' | 'call' }
  | { readonly kind: 'vectors'; readonly count: number }
  | { readonly kind: 'refusal'; readonly status: number; readonly code: string }

export type Dialect = 'chat' | 'responses' | 'messages'
export type Kind = keyof typeof kinds

/** How often each kind comes, in percent. */
export const kinds = {
  talk: 56,
  long: 4,
  json: 9,
  call: 10,
  embeddings: 6,
  leaves: 8,
  uncached: 4,
  'too long': 1.5,
  malformed: 1.5,
} as const

/** Values of few forms, so that a model of random weights comes to an end. */
const schema = {
  type: 'object',
  properties: { city: { type: 'string', enum: ['Paris', 'Rome'] }, exact: { type: 'boolean' } },
  required: ['city', 'exact'],
  additionalProperties: false,
}

/** The next request of a conversation, whose last turn is the question to ask. */
export function drawRequest(draw: SeededDraw, kind: Kind, conversation: Conversation): SoakRequest {
  if (kind === 'embeddings') return embeddings(draw, conversation)
  const dialect = draw.weighted<Dialect>({ chat: 45, responses: 25, messages: 30 })
  const stream = kind === 'leaves' || (kind !== 'malformed' && draw.isTrue(0.5))
  const form = kind === 'json' || kind === 'call' ? kind : undefined
  const body = { ...bodyOf[dialect](draw, conversation), ...(form && formOf[dialect](form)), stream }
  return {
    kind,
    path: paths[dialect],
    headers: { ...headersOf(conversation), ...(kind === 'uncached' ? { 'x-incipit-prefix-cache': 'off' } : {}) },
    body: kind === 'malformed' ? { ...body, [dialect === 'responses' ? 'input' : 'messages']: 7 } : body,
    stream,
    leavesAfterMs: kind === 'leaves' ? draw.whole(0, 120) : undefined,
    expect: expectationOf(kind),
  }
}

function expectationOf(kind: Kind): Expectation {
  switch (kind) {
    case 'json':
    case 'call':
      return { kind }
    case 'too long':
      return { kind: 'refusal', status: 400, code: 'context' }
    case 'malformed':
      return { kind: 'refusal', status: 400, code: 'invalid' }
    default:
      return { kind: 'text' }
  }
}

const paths: Readonly<Record<Dialect, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
}

type Body = Readonly<Record<string, unknown>>

/** Talks in each dialect, sometimes with marks and lives of them. */
const bodyOf: Readonly<Record<Dialect, (draw: SeededDraw, conversation: Conversation) => Body>> = {
  chat: (draw, { model, system, turns }) => ({
    model,
    messages: [{ role: 'system', content: system }, ...turns.map(({ role, text }) => ({ role, content: text }))],
    max_tokens: draw.whole(4, 40),
    temperature: draw.one([0, 0, 0, 0.8]),
    seed: draw.whole(1, 1_000),
    ...(draw.isTrue(0.1) ? { logprobs: true, top_logprobs: 2 } : {}),
    ...(draw.isTrue(0.15) ? { prompt_cache_options: { ttl: '30m' } } : {}),
  }),
  responses: (draw, { model, system, turns }) => ({
    model,
    instructions: system,
    input: turns.map(({ role, text }) => ({ role, content: text })),
    max_output_tokens: draw.whole(16, 40),
    temperature: 0,
    ...(draw.isTrue(0.2) ? { prompt_cache_retention: '24h' } : {}),
  }),
  messages: (draw, { model, system, turns }) => ({
    model,
    system: [{ type: 'text', text: system, ...mark(draw) }],
    messages: turns.map(({ role, text }) => ({ role, content: [{ type: 'text', text }] })),
    max_tokens: draw.whole(4, 40),
    temperature: 0,
  }),
}

function mark(draw: SeededDraw): Body {
  const ttl = draw.one([undefined, undefined, '5m', '1h'])
  return ttl === undefined ? {} : { cache_control: { type: 'ephemeral', ttl } }
}

const description = 'What the weather will be in a city'

/** An answer that keeps to the schema, or a call whose arguments do. */
const formOf: Readonly<Record<Dialect, (form: 'json' | 'call') => Body>> = {
  chat: (form) => ({
    max_tokens: 120,
    ...(form === 'json'
      ? { response_format: { type: 'json_schema', json_schema: { name: 'weather', strict: true, schema } } }
      : {
          tools: [{ type: 'function', function: { name: 'forecast', description, parameters: schema } }],
          tool_choice: 'required',
          parallel_tool_calls: false,
        }),
  }),
  responses: (form) => ({
    max_output_tokens: 120,
    ...(form === 'json'
      ? { text: { format: { type: 'json_schema', name: 'weather', strict: true, schema } } }
      : {
          tools: [{ type: 'function', name: 'forecast', description, parameters: schema, strict: true }],
          tool_choice: 'required',
          parallel_tool_calls: false,
        }),
  }),
  messages: (form) => ({
    max_tokens: 120,
    ...(form === 'json'
      ? { output_config: { format: { type: 'json_schema', schema } } }
      : {
          tools: [{ name: 'forecast', description, input_schema: schema }],
          tool_choice: { type: 'any', disable_parallel_tool_use: true },
        }),
  }),
}

function embeddings(draw: SeededDraw, conversation: Conversation): SoakRequest {
  const input = Array.from({ length: draw.whole(1, 6) }, () => draw.words(draw.whole(3, 200)))
  return {
    kind: 'embeddings',
    path: '/v1/embeddings',
    headers: headersOf(conversation),
    body: { model: conversation.model, input },
    stream: false,
    leavesAfterMs: undefined,
    expect: { kind: 'vectors', count: input.length },
  }
}

function headersOf({ speaker: { key, isolation } }: Conversation): Record<string, string> {
  return {
    'content-type': 'application/json',
    'anthropic-version': '2023-06-01',
    authorization: `Bearer ${key}`,
    ...(isolation === undefined ? {} : { 'x-prompt-cache-isolation-key': isolation }),
  }
}
