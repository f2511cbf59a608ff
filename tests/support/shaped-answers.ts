import { chatAnswer, messagesAnswer, responsesAnswer } from './recording-upstream.ts'
import { chat, responses } from './dialects.ts'
import type { UsageShape } from './usage-shapes.ts'

/** A whole answer of a provider, with its usage. */
export function wholeAnswer({ spoken, usage, beside }: UsageShape): object {
  const answer = spoken === chat ? chatAnswer : spoken === responses ? responsesAnswer : messagesAnswer
  return { ...answer, ...beside, usage }
}

/** The same as a stream, with usage where the provider has it in one. */
export function streamedAnswer(shape: UsageShape): string {
  if (shape.spoken === chat) return chatStream(shape)
  return shape.spoken === responses ? responsesStream(shape) : messagesStream(shape)
}

function chatStream({ usage, beside = {}, streamed }: UsageShape): string {
  const chunk = (choices: readonly object[], more: object = {}): object => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices,
    ...beside,
    ...more,
  })
  const text = (content: string): object => ({ index: 0, delta: { content }, finish_reason: null })
  const end = { index: 0, delta: {}, finish_reason: 'stop' }
  const early = streamed === 'every-chunk' ? { usage: { ...usage, completion_tokens: 1 } } : { usage: null }
  const chunks = [chunk([text('o')], early), chunk([text('k')], early)]
  if (streamed === 'x_groq') chunks.push(chunk([end], { x_groq: { id: 'req_1', usage } }))
  else if (streamed === 'choice') chunks.push(chunk([{ ...end, usage }]))
  else chunks.push(chunk([end], early), chunk([], { usage }))
  return `${chunks.map((data) => `data: ${JSON.stringify(data)}\n\n`).join('')}data: [DONE]\n\n`
}

function responsesStream({ usage, beside = {} }: UsageShape): string {
  const begun = { ...responsesAnswer, status: 'in_progress', output: [], service_tier: 'auto', usage: null }
  return events([
    { type: 'response.created', sequence_number: 0, response: begun },
    {
      type: 'response.output_text.delta',
      sequence_number: 1,
      item_id: 'msg_1',
      output_index: 0,
      content_index: 0,
      delta: 'ok',
    },
    { type: 'response.completed', sequence_number: 2, response: { ...responsesAnswer, ...beside, usage } },
  ])
}

function messagesStream({ usage }: UsageShape): string {
  const { output_tokens: output, ...input } = usage
  const message = { ...messagesAnswer, content: [], stop_reason: null, usage: { ...input, output_tokens: 1 } }
  return events([
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ok' } },
    { type: 'content_block_stop', index: 0 },
    {
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { cache_read_input_tokens: null, output_tokens: output },
    },
    { type: 'message_stop' },
  ])
}

function events(all: readonly { readonly type: string; readonly [member: string]: unknown }[]): string {
  return all.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}
