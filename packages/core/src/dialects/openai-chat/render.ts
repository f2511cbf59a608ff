import type { AnswerContext } from '../../domain/dialect.ts'
import type { GenerationResult, TokenLogprob } from '../../domain/generation.ts'
import { chatUsage } from '../shared/token-counts.ts'
import type { WireCompletion, WireLogprob, WireLogprobs } from './wire.ts'

/** A whole answer. A tool call that the model wrote stays in its text. */
export function answer(result: GenerationResult, context: AnswerContext): string {
  const completion: WireCompletion = {
    id: completionId(context),
    object: 'chat.completion',
    created: createdSeconds(context),
    model: context.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: result.text, refusal: null },
        logprobs: wireLogprobs(result.logprobs),
        finish_reason: result.reason,
      },
    ],
    usage: chatUsage(result.prompt, result.outputTokens),
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

function wireLogprob(entry: Pick<TokenLogprob, 'token' | 'logprob' | 'bytes'>): WireLogprob {
  return { token: entry.token, logprob: entry.logprob, bytes: entry.bytes }
}
