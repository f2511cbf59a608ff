import type { Answer } from '../decide-answer.ts'
import { idOf } from '../digest.ts'
import type { Frame } from '../reply.ts'
import { textPieces } from '../text-pieces.ts'
import type { CachedUsage } from './prompt-cache.ts'
import { signThinking } from './sign-thinking.ts'

/** Everything an answer consists of. */
export interface AnsweredMessage {
  readonly id: string
  readonly model: string
  readonly usage: CachedUsage
  /** `undefined` for `max_tokens: 0`: the prompt was stored, nothing was said. */
  readonly answer: Answer | undefined
  readonly thinking: { readonly text: string; readonly tokens: number } | undefined
  readonly diagnostics: unknown
  readonly speed: string
}

type Block = Readonly<Record<string, unknown>>

/** The message as one body. */
export function renderMessage(message: AnsweredMessage): Block {
  return {
    ...envelope(message),
    content: blocksOf(message),
    ...stopOf(message),
    usage: usageOf(message, outputTokens(message)),
  }
}

/** The same message as a stream of events. */
export function renderStream(message: AnsweredMessage): readonly Frame[] {
  const start = {
    ...envelope(message),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageOf(message, 1),
  }
  const blocks = blocksOf(message).flatMap((block, index) => blockFrames(block, index))
  const { cache_creation: _split, ...counts } = usageOf(message, outputTokens(message))
  return [
    frame('message_start', { message: start }, 'start'),
    ...blocks.slice(0, 1),
    frame('ping', {}, 'start'),
    ...blocks.slice(1),
    frame(
      'message_delta',
      { delta: { ...stopOf(message), stop_details: null, container: null }, usage: counts },
      'end',
    ),
    frame('message_stop', {}, 'end'),
  ]
}

function envelope({ id, model, diagnostics }: AnsweredMessage): Block {
  return { id, type: 'message', role: 'assistant', model, container: null, stop_details: null, diagnostics }
}

function blocksOf({ answer, thinking }: AnsweredMessage): readonly Block[] {
  if (answer === undefined) return []
  const thought =
    thinking === undefined
      ? []
      : [{ type: 'thinking', thinking: thinking.text, signature: signThinking(thinking.text) }]
  if (answer.kind === 'text') return [...thought, { type: 'text', text: answer.text, citations: null }]
  return [
    ...thought,
    {
      type: 'tool_use',
      id: idOf('toolu_', answer.seedId),
      name: answer.name,
      input: JSON.parse(answer.json) as unknown,
    },
  ]
}

function blockFrames(block: Block, index: number): readonly Frame[] {
  const delta = (delta: Block): Frame => frame('content_block_delta', { index, delta }, 'content')
  return [
    frame('content_block_start', { index, content_block: emptied(block) }, 'start'),
    ...deltasOf(block).map(delta),
    frame('content_block_stop', { index }, 'start'),
  ]
}

function emptied(block: Block): Block {
  if (block['type'] === 'text') return { ...block, text: '' }
  if (block['type'] === 'thinking') return { ...block, thinking: '', signature: '' }
  return { ...block, input: {} }
}

function deltasOf(block: Block): readonly Block[] {
  if (block['type'] === 'text') return textPieces(String(block['text'])).map((text) => ({ type: 'text_delta', text }))
  if (block['type'] === 'thinking') {
    const pieces = textPieces(String(block['thinking'])).map((thinking) => ({ type: 'thinking_delta', thinking }))
    return [...pieces, { type: 'signature_delta', signature: block['signature'] }]
  }
  return ['', ...textPieces(JSON.stringify(block['input']))].map((json) => ({
    type: 'input_json_delta',
    partial_json: json,
  }))
}

function stopOf({ answer }: AnsweredMessage): { readonly stop_reason: string; readonly stop_sequence: string | null } {
  if (answer === undefined) return { stop_reason: 'max_tokens', stop_sequence: null }
  if (answer.kind === 'tool') return { stop_reason: 'tool_use', stop_sequence: null }
  if (answer.stoppedBy !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: answer.stoppedBy }
  return { stop_reason: answer.finish === 'length' ? 'max_tokens' : 'end_turn', stop_sequence: null }
}

function outputTokens({ answer, thinking }: AnsweredMessage): number {
  return (answer?.tokens ?? 0) + (answer === undefined ? 0 : (thinking?.tokens ?? 0))
}

function usageOf({ usage, thinking, speed }: AnsweredMessage, output: number): Block {
  return {
    input_tokens: usage.fresh,
    cache_creation_input_tokens: usage.write5m + usage.write1h,
    cache_read_input_tokens: usage.read,
    cache_creation: { ephemeral_5m_input_tokens: usage.write5m, ephemeral_1h_input_tokens: usage.write1h },
    output_tokens: output,
    output_tokens_details: thinking === undefined ? null : { thinking_tokens: thinking.tokens },
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: 'not_available',
    speed,
  }
}

function frame(event: string, rest: Block, part: Frame['part']): Frame {
  return { event, data: JSON.stringify({ type: event, ...rest }), part }
}
