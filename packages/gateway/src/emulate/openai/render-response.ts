import type { Answer } from '../decide-answer.ts'
import { idOf } from '../digest.ts'
import type { Frame } from '../reply.ts'
import { textPieces } from '../text-pieces.ts'

type Part = Readonly<Record<string, unknown>>

/** What an answer adds to the conversation. */
export function outputItems(answer: Answer | undefined, seed: string): readonly Part[] {
  if (answer === undefined) return []
  if (answer.kind === 'tool') {
    const id = idOf('fc_', seed)
    return [
      {
        id,
        type: 'function_call',
        status: 'completed',
        call_id: idOf('call_', answer.seedId),
        name: answer.name,
        arguments: answer.json,
      },
    ]
  }
  const status = answer.finish === 'length' ? 'incomplete' : 'completed'
  const content = [{ type: 'output_text', text: answer.text, annotations: [], logprobs: [] }]
  return [{ id: idOf('msg_', seed), type: 'message', status, role: 'assistant', content }]
}

/** A finished response as the stream of events that leads to it. */
export function responseFrames(response: Part): readonly Frame[] {
  const begun = {
    ...response,
    status: 'in_progress',
    output: [],
    usage: null,
    completed_at: null,
    incomplete_details: null,
  }
  const output = response['output'] as readonly Part[]
  const events: readonly (readonly [string, Part, Frame['part']])[] = [
    ['response.created', { response: begun }, 'start'],
    ['response.in_progress', { response: begun }, 'start'],
    ...output.flatMap((item, index) => itemEvents(item, index)),
    [`response.${String(response['status'])}`, { response }, 'end'],
  ]
  return events.map(([event, rest, part], sequence) => ({
    event,
    data: JSON.stringify({ type: event, sequence_number: sequence, ...rest }),
    part,
  }))
}

function itemEvents(item: Part, index: number): readonly (readonly [string, Part, Frame['part']])[] {
  const inner = item['type'] === 'function_call' ? callEvents(item, index) : messageEvents(item, index)
  const empty = item['type'] === 'function_call' ? { arguments: '' } : { content: [] }
  return [
    [
      'response.output_item.added',
      { output_index: index, item: { ...item, status: 'in_progress', ...empty } },
      'start',
    ],
    ...inner,
    ['response.output_item.done', { output_index: index, item }, 'start'],
  ]
}

function messageEvents(item: Part, index: number): readonly (readonly [string, Part, Frame['part']])[] {
  const [part = {}] = item['content'] as readonly Part[]
  const at = { item_id: item['id'], output_index: index, content_index: 0 }
  const text = String(part['text'])
  const deltas = textPieces(text).map(
    (delta) => ['response.output_text.delta', { ...at, delta, logprobs: [] }, 'content'] as const,
  )
  return [
    ['response.content_part.added', { ...at, part: { ...part, text: '' } }, 'start'],
    ...deltas,
    ['response.output_text.done', { ...at, text, logprobs: [] }, 'start'],
    ['response.content_part.done', { ...at, part }, 'start'],
  ]
}

function callEvents(item: Part, index: number): readonly (readonly [string, Part, Frame['part']])[] {
  const at = { item_id: item['id'], output_index: index }
  const json = String(item['arguments'])
  const deltas = textPieces(json).map(
    (delta) => ['response.function_call_arguments.delta', { ...at, delta }, 'content'] as const,
  )
  return [...deltas, ['response.function_call_arguments.done', { ...at, name: item['name'], arguments: json }, 'start']]
}
