import type { Source } from './targets.ts'

/** A schema whose bytes mean something: order, spacing, an escape, a number that no double holds. */
export const schemaBytes: string =
  '{ "type":"object" ,"properties":{"zeta":{"type":"number","maximum":12345678901234567890},"alpha":{"const":"\\u00e9\\/"}},"required":["zeta"],"additionalProperties":false}'
/** Arguments as a model wrote them. */
export const argumentBytes: string = '{"zeta": 1.0,  "alpha":"\\u00e9\\/", "big":12345678901234567890}'

/** Where a mark can stand; `top` = beside the messages, moving along. */
export const places = ['tool', 'system', 'user', 'assistant', 'result', 'top'] as const
export type Place = (typeof places)[number]

/** How a client writes a mark. */
export interface MarkForm {
  readonly member: 'cache_control' | 'prompt_cache_breakpoint'
  /** Places where the dialect has such a mark. */
  readonly at: readonly Place[]
}

/** Marks by dialect of the client. Workers AI has none of its own: some of its models take those of chat. */
export const markForms: Readonly<Record<Source, readonly MarkForm[]>> = {
  'openai-chat': [
    { member: 'cache_control', at: places },
    { member: 'prompt_cache_breakpoint', at: ['system', 'user', 'assistant', 'result'] },
  ],
  'openai-responses': [{ member: 'prompt_cache_breakpoint', at: ['system', 'user', 'result'] }],
  'anthropic-messages': [{ member: 'cache_control', at: places }],
  'workers-ai': [{ member: 'cache_control', at: ['tool', 'system', 'user', 'assistant', 'result'] }],
}

/** What a conversation is to hold beside its fixed text. */
export interface BodyOptions {
  readonly model: string
  readonly mark?: { readonly at: Place; readonly json: unknown; readonly member: string } | undefined
  /** More parts of the first user message. */
  readonly parts?: readonly unknown[] | undefined
  /** More parts inside the tool result. */
  readonly resultParts?: readonly unknown[] | undefined
  /** More top-level members; a string `@@schema` stands for `schemaBytes`. */
  readonly more?: Readonly<Record<string, unknown>> | undefined
}

/**
 * One conversation with a tool call in it, as a client of the dialect says it, schema and arguments in its own
 * spelling.
 */
export function bodyOf(source: Source, options: BodyOptions): string {
  const text = JSON.stringify({ ...builders[source](options), ...options.more })
  return text.replaceAll('"@@schema"', schemaBytes).replaceAll('"@@arguments"', argumentBytes)
}

/** JSON pointer of what can be marked. */
export const pointers: Readonly<Record<Source, Readonly<Record<Place, string>>>> = {
  'openai-chat': {
    tool: '/tools/0',
    system: '/messages/0/content/1',
    user: '/messages/1/content/0',
    assistant: '/messages/2/content/0',
    result: '/messages/3',
    top: '/cache_control',
  },
  'openai-responses': {
    tool: '/tools/0',
    system: '/input/0/content/1',
    user: '/input/1/content/0',
    assistant: '/input/2/content/0',
    result: '/input/4',
    top: '/cache_control',
  },
  'anthropic-messages': {
    tool: '/tools/0',
    system: '/system/1',
    user: '/messages/0/content/0',
    assistant: '/messages/1/content/0',
    result: '/messages/2/content/0',
    top: '/cache_control',
  },
  'workers-ai': {
    tool: '/tools/0',
    system: '/messages/0/content/1',
    user: '/messages/1/content/0',
    assistant: '/messages/2/content/0',
    result: '/messages/3',
    top: '/cache_control',
  },
}

type Builder = (options: BodyOptions) => Record<string, unknown>

const builders: Readonly<Record<Source, Builder>> = {
  'openai-chat': (options) => ({ model: options.model, ...chatLike(options) }),
  'workers-ai': chatLike,
  'openai-responses': (options) => {
    const marked = markerOf(options)
    return {
      model: options.model,
      tools: [{ type: 'function', name: 'find', description: 'Finds.', parameters: '@@schema', ...marked('tool') }],
      input: [
        {
          role: 'developer',
          content: [
            { type: 'input_text', text: 'sys-one' },
            { type: 'input_text', text: 'sys-two', ...marked('system') },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'input_text', text: 'user-one', ...marked('user') }, ...(options.parts ?? [])],
        },
        { role: 'assistant', content: [{ type: 'output_text', text: 'assistant-one', ...marked('assistant') }] },
        { type: 'function_call', call_id: 'call_1', name: 'find', arguments: argumentBytes },
        {
          type: 'function_call_output',
          call_id: 'call_1',
          output: [{ type: 'input_text', text: 'result-one', ...marked('result') }, ...(options.resultParts ?? [])],
        },
        { role: 'user', content: 'user-two' },
      ],
      ...marked('top'),
    }
  },
  'anthropic-messages': (options) => {
    const marked = markerOf(options)
    const result = [{ type: 'text', text: 'result-one' }, ...(options.resultParts ?? [])]
    return {
      model: options.model,
      max_tokens: 77,
      ...marked('top'),
      tools: [{ name: 'find', description: 'Finds.', input_schema: '@@schema', ...marked('tool') }],
      system: [
        { type: 'text', text: 'sys-one' },
        { type: 'text', text: 'sys-two', ...marked('system') },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'user-one', ...marked('user') }, ...(options.parts ?? [])] },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'assistant-one', ...marked('assistant') },
            { type: 'tool_use', id: 'call_1', name: 'find', input: '@@arguments' },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_1', content: result, ...marked('result') },
            { type: 'text', text: 'user-two' },
          ],
        },
      ],
    }
  },
}

function chatLike(options: BodyOptions): Record<string, unknown> {
  const marked = markerOf(options)
  return {
    ...marked('top'),
    tools: [
      {
        type: 'function',
        function: { name: 'find', description: 'Finds.', parameters: '@@schema' },
        ...marked('tool'),
      },
    ],
    messages: [
      {
        role: 'system',
        content: [
          { type: 'text', text: 'sys-one' },
          { type: 'text', text: 'sys-two', ...marked('system') },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'user-one', ...marked('user') }, ...(options.parts ?? [])] },
      {
        role: 'assistant',
        content: [{ type: 'text', text: 'assistant-one', ...marked('assistant') }],
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find', arguments: argumentBytes } }],
      },
      {
        role: 'tool',
        tool_call_id: 'call_1',
        content: [{ type: 'text', text: 'result-one', ...marked('result') }, ...(options.resultParts ?? [])],
      },
      { role: 'user', content: 'user-two' },
    ],
  }
}

function markerOf({ mark }: BodyOptions): (at: Place) => Record<string, unknown> {
  return (at) => (mark?.at === at ? { [mark.member]: mark.json } : {})
}
