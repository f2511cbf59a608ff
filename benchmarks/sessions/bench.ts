import type { SplitPrompt } from '@incipit/engine/bench'
import { promptOfLength } from '@incipit/engine/bench'
import type OpenAI from 'openai'
import type { BenchModel } from '../support/bench-model.ts'
import type { ServerProcess } from '../support/server-process.ts'
import type { StreamedAnswer } from '../support/streamed-chat.ts'
import { streamChat } from '../support/streamed-chat.ts'

/** A server, the model that it serves as `smol`, and how much to measure. */
export interface SessionsBench {
  readonly server: ServerProcess
  readonly client: OpenAI
  readonly model: BenchModel
  readonly rounds: number
  readonly quick: boolean
  readonly progress: (text: string) => void
}

/** A limit, and whether the median keeps it. */
export interface Bar {
  readonly text: string
  readonly kept: boolean
}

/** What one part found: a Markdown table, and the same as data. */
export interface Part {
  readonly table: string
  readonly data: object
  readonly bars: readonly Bar[]
}

/** Tokens that a question brings behind an opening. */
export const questionTokens = 30

/** A prompt of about so many tokens that nobody has asked before. */
export function freshPrompt({ model }: SessionsBench, tokens: number): SplitPrompt {
  return promptOfLength(model.tokenise, Math.max(1, tokens - questionTokens), questionTokens)
}

/** Evaluates a prompt and takes one token. */
export function askOnce(
  { client }: SessionsBench,
  prompt: SplitPrompt,
  prefixCache: 'on' | 'off' = 'on',
): Promise<StreamedAnswer> {
  return streamChat(client, { model: 'smol', prompt, maxTokens: 1, prefixCache })
}

/**
 * Streams an answer of exactly so many tokens behind a prompt that was asked before.
 * @throws Error where the answer is shorter, or the prompt was not cached: other work would be measured
 */
export async function streamWarm(
  { client, model }: SessionsBench,
  prompt: SplitPrompt,
  maxTokens: number,
  onFirst?: () => void,
): Promise<StreamedAnswer> {
  const question = { model: 'smol', prompt, maxTokens, logitBias: model.endless }
  const answer = await streamChat(client, question, onFirst)
  if (answer.outputTokens !== maxTokens)
    throw new Error(`${answer.outputTokens} tokens came, ${maxTokens} were asked for`)
  // Up to a block may be evaluated again once a prompt has left the KV buffer.
  if (answer.cachedTokens < answer.promptTokens - 128) {
    throw new Error(
      `${answer.cachedTokens} of ${answer.promptTokens} tokens were cached of a prompt that was asked before`,
    )
  }
  return answer
}

/** Milliseconds from the first chunk of any to the end of all. */
export function wallMs(answers: readonly StreamedAnswer[]): number {
  return Math.max(...answers.map(({ endedAt }) => endedAt)) - Math.min(...answers.map(({ firstAt }) => firstAt))
}

/** Tokens per second of all together, the first of each left out: it belongs to the prompt. */
export function tokensPerSecond(answers: readonly StreamedAnswer[]): number {
  const tokens = answers.reduce((sum, { outputTokens }) => sum + outputTokens - 1, 0)
  return (1_000 * tokens) / wallMs(answers)
}
