import type { Answer, AnswerBlock } from '../../domain/answer.ts'
import type { AnswerContext } from '../../domain/dialect.ts'
import type { TokenLogprob } from '../../domain/generation.ts'
import { chatFinish } from '../shared/chat-stops.ts'
import { chatUsage } from '../shared/token-counts.ts'
import type { WireCompletion, WireLogprob, WireLogprobs, WireMessage, WireToolCall } from './wire.ts'

/**
 * A whole answer. Its id is ours, its model the one that the client named. A signature and encrypted thinking
 * have no place in it. Usage that is not known is left out.
 */
export function answer({ blocks, stop, usage }: Answer, context: AnswerContext): string {
  const message = wireMessage(blocks)
  const logprobs = blocks.flatMap((block) => (block.kind === 'text' ? [block.logprobs] : []))
  const known = logprobs.filter((list) => list !== undefined)
  const completion: WireCompletion = {
    id: completionId(context),
    object: 'chat.completion',
    created: createdSeconds(context),
    model: context.model,
    choices: [
      {
        index: 0,
        message,
        logprobs: wireLogprobs(known.length === 0 ? undefined : known.flat()),
        finish_reason: chatFinish(stop, message.refusal !== null),
      },
    ],
    ...(usage === undefined ? {} : { usage: chatUsage(usage) }),
  }
  return JSON.stringify(completion)
}

export function completionId(context: AnswerContext): string {
  return `chatcmpl-${context.id}`
}

export function createdSeconds(context: AnswerContext): number {
  return Math.floor(context.createdAt / 1000)
}

export function wireLogprobs(logprobs: readonly TokenLogprob[] | undefined): WireLogprobs | null {
  if (logprobs === undefined) return null
  return {
    content: logprobs.map((entry) => ({ ...wireLogprob(entry), top_logprobs: entry.top.map(wireLogprob) })),
    refusal: null,
  }
}

function wireMessage(blocks: readonly AnswerBlock[]): WireMessage {
  const text = textOf(blocks, 'text')
  const refusal = textOf(blocks, 'refusal')
  const reasoning = textOf(blocks, 'thinking')
  const calls = blocks.flatMap((block): WireToolCall[] => (block.kind === 'tool-call' ? [wireToolCall(block)] : []))
  return {
    role: 'assistant',
    // Nothing said is null only where there is something else to read.
    content: text ?? (refusal === undefined && calls.length === 0 ? '' : null),
    refusal: refusal ?? null,
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
}

/** All text of one kind; `undefined` where no block is of it. */
function textOf(blocks: readonly AnswerBlock[], kind: 'text' | 'refusal' | 'thinking'): string | undefined {
  const texts = blocks.flatMap((block) => (block.kind === kind ? [block.text] : []))
  return texts.length === 0 ? undefined : texts.join('')
}

function wireToolCall(call: Extract<AnswerBlock, { kind: 'tool-call' }>): WireToolCall {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } }
}

function wireLogprob(entry: Pick<TokenLogprob, 'token' | 'logprob' | 'bytes'>): WireLogprob {
  return { token: entry.token, logprob: entry.logprob, bytes: entry.bytes }
}
