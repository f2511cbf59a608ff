import type { Answer, AnswerBlock } from '../../domain/answer.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { TokenLogprob } from '../../domain/generation.ts'
import { chatStop } from './chat-stops.ts'
import { isRecord, readChatUsage, recordOf } from './token-counts.ts'

/**
 * A completion of an upstream, its first choice.
 * @throws IncipitError `upstream_failed` when it has no choice with a message
 */
export function readChatAnswer(
  answer: Readonly<Record<string, unknown>>,
  rawUsage: Readonly<Record<string, unknown>> | undefined,
): Answer {
  const choice: unknown = Array.isArray(answer['choices']) ? answer['choices'][0] : undefined
  if (!isRecord(choice) || !isRecord(choice['message'])) {
    throw new IncipitError('upstream_failed', 'the answer of the upstream has no choice with a message')
  }
  const message = choice['message']
  const blocks = [
    ...thinkingBlocks(message),
    ...textBlocks(message['content'], readLogprobs(choice['logprobs'])),
    ...refusalBlocks(message['refusal']),
    ...callBlocks(message['tool_calls']),
  ]
  const refused = blocks.some((block) => block.kind === 'refusal')
  return {
    id: stringOf(answer['id']),
    model: stringOf(answer['model']),
    blocks,
    stop: chatStop(choice['finish_reason'], refused),
    stopSequence: undefined,
    usage: rawUsage && readChatUsage(rawUsage),
  }
}

/** Thinking as DeepSeek, vLLM (`reasoning_content`) and OpenRouter, Groq (`reasoning`) return it. */
export function thinkingOf(message: Readonly<Record<string, unknown>>): string | undefined {
  return textOf(message['reasoning_content']) ?? textOf(message['reasoning'])
}

/** Content is text; Mistral's may be parts. */
export function contentOf(content: unknown): string | undefined {
  if (!Array.isArray(content)) return textOf(content)
  return textOf(content.map((part: unknown) => (isRecord(part) ? (textOf(part['text']) ?? '') : '')).join(''))
}

/** Log-probabilities of a choice; `undefined` where there are none. */
export function readLogprobs(logprobs: unknown): TokenLogprob[] | undefined {
  const content = recordOf(logprobs)['content']
  if (!Array.isArray(content)) return undefined
  return content.filter(isRecord).map((entry) => {
    const top: unknown = entry['top_logprobs']
    return { ...readLogprob(entry), top: Array.isArray(top) ? top.filter(isRecord).map(readLogprob) : [] }
  })
}

/** Arguments come as JSON text; a server that sends an object has given up its bytes already. */
export function argumentsOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value)
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function thinkingBlocks(message: Readonly<Record<string, unknown>>): AnswerBlock[] {
  const text = thinkingOf(message)
  return text === undefined ? [] : [{ kind: 'thinking', text, signature: undefined }]
}

function textBlocks(content: unknown, logprobs: readonly TokenLogprob[] | undefined): AnswerBlock[] {
  const text = contentOf(content)
  return text === undefined ? [] : [{ kind: 'text', text, logprobs }]
}

function refusalBlocks(refusal: unknown): AnswerBlock[] {
  const text = textOf(refusal)
  return text === undefined ? [] : [{ kind: 'refusal', text }]
}

function callBlocks(calls: unknown): AnswerBlock[] {
  if (!Array.isArray(calls)) return []
  return calls.filter(isRecord).map((call, index) => {
    const called = recordOf(call['function'])
    return {
      kind: 'tool-call',
      id: stringOf(call['id']) ?? `call_${index}`,
      name: stringOf(called['name']) ?? '',
      arguments: argumentsOf(called['arguments']),
    }
  })
}

function readLogprob(entry: Readonly<Record<string, unknown>>): Omit<TokenLogprob, 'top'> {
  const { token, logprob, bytes } = entry
  return {
    token: stringOf(token) ?? '',
    logprob: typeof logprob === 'number' ? logprob : Number.NEGATIVE_INFINITY,
    bytes: Array.isArray(bytes) ? bytes.filter((byte) => typeof byte === 'number') : [],
  }
}
