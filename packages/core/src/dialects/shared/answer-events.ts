import type { AnswerEvent, AnswerUsage, StopReason } from '../../domain/answer.ts'
import type { FinishReason, GenerationEvent, PromptReport } from '../../domain/generation.ts'
import { tokenCount } from '../../domain/units.ts'
import type { CacheBuckets } from '../../domain/cached-prompt.ts'
import type { Usage } from '../../domain/usage.ts'
import { unreportedUsage } from '../../domain/usage.ts'

/** The engine's words: it says `stop` for an end of its own and for a stop string alike. */
const stops: Readonly<Record<FinishReason, StopReason>> = { stop: 'end', length: 'length', tool_calls: 'tool-calls' }

/**
 * Maps the events of one generation to those of an answer, in order. Remembers what the first one said
 * about the prompt, so that the last one carries the whole usage.
 *
 * @example const toAnswer = answerEvents(); for await (const event of events) send(toAnswer(event))
 */
export function answerEvents(): (event: GenerationEvent) => AnswerEvent {
  let prompt: AnswerUsage | undefined
  return (event) => {
    switch (event.kind) {
      case 'prompt':
        prompt = promptUsage(event)
        return { kind: 'start', id: undefined, model: undefined, usage: prompt, diagnosis: event.diagnosis }
      case 'text-delta':
        return { kind: 'text-delta', text: event.text, logprobs: event.logprobs }
      case 'thinking-delta':
        return { kind: 'thinking-delta', text: event.text }
      case 'tool-start':
        return { kind: 'tool-start', index: event.index, id: event.id, name: event.name }
      case 'tool-delta':
        return { kind: 'tool-delta', index: event.index, json: event.json }
      case 'finish': {
        const buckets = { ...(prompt?.buckets ?? unreportedUsage), output: event.outputTokens }
        const usage = { buckets, reasoningTokens: undefined }
        return { kind: 'finish', stop: stops[event.reason], stopSequence: undefined, usage }
      }
      default:
        return event satisfies never
    }
  }
}

/** Of its own the engine bills no writes: those buckets stay unreported. By the rules of a provider it may. */
function promptUsage({ promptTokens, cachedTokens, counted }: PromptReport): AnswerUsage {
  const own = { fresh: tokenCount(promptTokens - cachedTokens), read: cachedTokens }
  return {
    buckets: { ...unreportedUsage, ...(counted === undefined ? own : asCounts(counted)) },
    reasoningTokens: undefined,
  }
}

function asCounts(buckets: CacheBuckets): Partial<Usage> {
  return Object.fromEntries(Object.entries(buckets).map(([name, count]) => [name, tokenCount(count as number)]))
}
