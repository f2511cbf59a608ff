import type { ServerResponse } from 'node:http'
import { sendStream } from '../recording-upstream.ts'
import { argumentBytes } from './bodies.ts'
import type { Json } from './sent-body.ts'
import type { Source } from './targets.ts'

/** How an upstream's answer ends, in no dialect. */
export type Ending = 'end' | 'length' | 'tool' | 'filter' | 'stop-sequence' | 'refusal' | 'pause' | 'context'

/** The ends that a dialect has words for. */
export const endings: Readonly<Record<Exclude<Source, 'workers-ai'>, readonly Ending[]>> = {
  'openai-chat': ['end', 'length', 'tool', 'filter'],
  'openai-responses': ['end', 'length', 'tool', 'filter'],
  'anthropic-messages': ['end', 'length', 'tool', 'stop-sequence', 'refusal', 'pause', 'context'],
}

/** What a client reads of an answer. */
export interface ReadAnswer {
  readonly text: string
  /** Arguments of the tool call, as bytes of the answer. */
  readonly call: string | undefined
  readonly stop: string | undefined
  readonly usage: Json | undefined
}

/** Usage as each dialect reports it: 33 tokens in, of which 16 were read and 7 written; 9 out, of which 5 were thought. */
export const reportedUsage = {
  'openai-chat': {
    prompt_tokens: 33,
    completion_tokens: 9,
    total_tokens: 42,
    prompt_tokens_details: { cached_tokens: 16, cache_write_tokens: 7 },
    completion_tokens_details: { reasoning_tokens: 5 },
  },
  'openai-responses': {
    input_tokens: 33,
    input_tokens_details: { cached_tokens: 16, cache_write_tokens: 7 },
    output_tokens: 9,
    output_tokens_details: { reasoning_tokens: 5 },
    total_tokens: 42,
  },
  'anthropic-messages': {
    input_tokens: 10,
    cache_creation_input_tokens: 7,
    cache_read_input_tokens: 16,
    cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 },
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 5 },
  },
} as const

/** Answers as an upstream of a dialect does. */
export function answerWith(
  spoken: Exclude<Source, 'workers-ai'>,
  response: ServerResponse,
  { ending, stream }: { readonly ending: Ending; readonly stream: boolean },
): void {
  const answer = answers[spoken](ending)
  if (stream) sendStream(response, answer.stream)
  else {
    // Arguments stand in the answer in the bytes that the model wrote.
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer.whole).replace('"@@arguments"', argumentBytes))
  }
}

interface UpstreamAnswer {
  readonly whole: unknown
  readonly stream: string
}

const answers: Readonly<Record<Exclude<Source, 'workers-ai'>, (ending: Ending) => UpstreamAnswer>> = {
  'openai-chat': chatAnswer,
  'openai-responses': responsesAnswer,
  'anthropic-messages': messagesAnswer,
}

/** Pieces of arguments that cut in the middle of an escape. */
const pieces = [argumentBytes.slice(0, 33), argumentBytes.slice(33)]

function chatAnswer(ending: Ending): UpstreamAnswer {
  const finish = { end: 'stop', length: 'length', tool: 'tool_calls', filter: 'content_filter' }[ending as 'end']
  const head = { id: 'chatcmpl-7', created: 1, model: 'm' }
  const call = { id: 'call_7', type: 'function', function: { name: 'find', arguments: argumentBytes } }
  const message = ending === 'tool' ? { content: null, tool_calls: [call] } : { content: 'said' }
  const deltas =
    ending === 'tool'
      ? [
          { tool_calls: [{ index: 0, ...call, function: { name: 'find', arguments: '' } }] },
          ...pieces.map((json) => ({ tool_calls: [{ index: 0, function: { arguments: json } }] })),
        ]
      : [{ content: 'sa' }, { content: 'id' }]
  const chunk = (delta: unknown, reason: string | null): unknown => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: reason }],
  })
  const usage = reportedUsage['openai-chat']
  const chunks = [
    chunk({ role: 'assistant', content: '' }, null),
    ...deltas.map((delta) => chunk(delta, null)),
    chunk({}, finish),
    { ...head, object: 'chat.completion.chunk', choices: [], usage },
  ]
  return {
    whole: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
      usage,
    },
    stream: `${chunks.map((data) => `data: ${JSON.stringify(data)}\n\n`).join('')}data: [DONE]\n\n`,
  }
}

function responsesAnswer(ending: Ending): UpstreamAnswer {
  const cut = ending === 'length' || ending === 'filter'
  const status = cut ? 'incomplete' : 'completed'
  const reason = ending === 'length' ? 'max_output_tokens' : 'content_filter'
  const call = { id: 'fc_7', type: 'function_call', call_id: 'call_7', name: 'find', arguments: argumentBytes }
  const part = { type: 'output_text', text: 'said', annotations: [] }
  const message = { id: 'msg_7', type: 'message', role: 'assistant', status, content: [part] }
  const item = ending === 'tool' ? { ...call, status } : message
  const response = {
    id: 'resp_7',
    object: 'response',
    created_at: 1,
    model: 'm',
    status,
    incomplete_details: cut ? { reason } : null,
    output: [item],
    usage: reportedUsage['openai-responses'],
  }
  const begun = { ...response, status: 'in_progress', output: [], usage: null, incomplete_details: null }
  const place = { item_id: item.id, output_index: 0 }
  const middle =
    ending === 'tool'
      ? [
          {
            type: 'response.output_item.added',
            output_index: 0,
            item: { ...call, arguments: '', status: 'in_progress' },
          },
          ...pieces.map((delta) => ({ type: 'response.function_call_arguments.delta', ...place, delta })),
          { type: 'response.function_call_arguments.done', ...place, arguments: argumentBytes },
        ]
      : [
          {
            type: 'response.output_item.added',
            output_index: 0,
            item: { ...message, content: [], status: 'in_progress' },
          },
          { type: 'response.content_part.added', ...place, content_index: 0, part: { ...part, text: '' } },
          { type: 'response.output_text.delta', ...place, content_index: 0, delta: 'sa' },
          { type: 'response.output_text.delta', ...place, content_index: 0, delta: 'id' },
          { type: 'response.output_text.done', ...place, content_index: 0, text: 'said' },
        ]
  const events = [
    { type: 'response.created', response: begun },
    ...middle,
    { type: 'response.output_item.done', output_index: 0, item },
    { type: `response.${status}`, response },
  ]
  return {
    whole: response,
    stream: events
      .map((event, index) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: index })}\n\n`)
      .join(''),
  }
}

const messageStops: Readonly<Record<Ending, string>> = {
  end: 'end_turn',
  length: 'max_tokens',
  tool: 'tool_use',
  filter: 'refusal',
  'stop-sequence': 'stop_sequence',
  refusal: 'refusal',
  pause: 'pause_turn',
  context: 'model_context_window_exceeded',
}

function messagesAnswer(ending: Ending): UpstreamAnswer {
  const usage = reportedUsage['anthropic-messages']
  const stop = {
    stop_reason: messageStops[ending],
    stop_sequence: ending === 'stop-sequence' ? 'HALT' : null,
  }
  const call = { type: 'tool_use', id: 'toolu_7', name: 'find', input: '@@arguments' }
  const head = { id: 'msg_7', type: 'message', role: 'assistant', model: 'm' }
  const block = ending === 'tool' ? { ...call, input: {} } : { type: 'text', text: '' }
  const deltas =
    ending === 'tool'
      ? pieces.map((json) => ({ type: 'input_json_delta', partial_json: json }))
      : ['sa', 'id'].map((text) => ({ type: 'text_delta', text }))
  const events = [
    {
      type: 'message_start',
      message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } },
    },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'ping' },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: stop,
      usage: { output_tokens: 9, output_tokens_details: usage.output_tokens_details },
    },
    { type: 'message_stop' },
  ]
  return {
    whole: { ...head, content: [ending === 'tool' ? call : { type: 'text', text: 'said' }], ...stop, usage },
    stream: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
  }
}
