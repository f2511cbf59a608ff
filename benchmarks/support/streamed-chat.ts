import type { SplitPrompt } from '@incipit/engine/bench'
import type OpenAI from 'openai'

/** What is asked for. */
export interface ChatQuestion {
  readonly model: string
  readonly prompt: SplitPrompt
  readonly maxTokens: number
  readonly logitBias?: Readonly<Record<string, number>>
  readonly prefixCache?: 'on' | 'off'
  readonly signal?: AbortSignal
}

/** A streamed answer: instants of `performance.now()`, and tokens as its usage has them. */
export interface StreamedAnswer {
  readonly sentAt: number
  /** The first chunk: the prompt is evaluated and the first token is there, whatever its text is. */
  readonly firstAt: number
  readonly endedAt: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

/**
 * Asks one greedy question over HTTP through the official client. `onFirst` is called with the first chunk.
 * @throws Error where the answer carries no usage, or the client's errors
 */
export async function streamChat(
  client: OpenAI,
  { model, prompt, maxTokens, logitBias, prefixCache, signal }: ChatQuestion,
  onFirst: () => void = () => {},
): Promise<StreamedAnswer> {
  const sentAt = performance.now()
  const stream = await client.chat.completions.create(
    {
      model,
      messages: [
        { role: 'system', content: prompt.system },
        { role: 'user', content: prompt.user },
      ],
      max_tokens: maxTokens,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
      ...(logitBias === undefined ? {} : { logit_bias: { ...logitBias } }),
    },
    {
      ...(prefixCache === undefined ? {} : { headers: { 'x-incipit-prefix-cache': prefixCache } }),
      ...(signal === undefined ? {} : { signal }),
    },
  )
  let firstAt = Number.NaN
  let endedAt = Number.NaN
  let usage: OpenAI.CompletionUsage | undefined
  for await (const chunk of stream) {
    if (Number.isNaN(firstAt)) {
      firstAt = performance.now()
      onFirst()
    }
    if (chunk.choices[0]?.finish_reason) endedAt = performance.now()
    usage = chunk.usage ?? usage
  }
  if (usage === undefined || Number.isNaN(endedAt)) throw new Error('the stream had no usage, or no end')
  return {
    sentAt,
    firstAt,
    endedAt,
    promptTokens: usage.prompt_tokens,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    outputTokens: usage.completion_tokens,
  }
}

/** Milliseconds from the call to the first token. */
export function ttftMs({ sentAt, firstAt }: StreamedAnswer): number {
  return firstAt - sentAt
}
