import type { ConversationSettings } from '../../domain/conversation.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { Sampling } from '../../domain/generation.ts'
import { Field } from './field.ts'

const largestInt32 = 2 ** 31 - 1
const mostStops = 16
const mostLogprobs = 20

/** The settings that say how to sample. */
export type SamplingSettings = Pick<
  ConversationSettings,
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'minP'
  | 'seed'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'repetitionPenalty'
  | 'logitBias'
>

/** Members from which `samplingNumbers` reads. */
export const samplingMembers: readonly string[] = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'repetition_penalty',
]

/** How a chat body says to sample. */
export function samplingSettings(root: Field): SamplingSettings {
  return { ...samplingNumbers(root), logitBias: logitBiasOf(root) }
}

/** What Chat and Responses have in common of it. */
export function samplingNumbers(root: Field): Omit<SamplingSettings, 'logitBias'> {
  return {
    temperature: root.find('temperature')?.number({ min: 0, max: 2 }),
    topP: root.find('top_p')?.number({ min: 0, max: 1 }),
    topK: root.find('top_k')?.integer({ min: 0, max: largestInt32 }),
    minP: root.find('min_p')?.number({ min: 0, max: 1 }),
    // Beyond the safe integers two seeds would silently be one.
    seed: root.find('seed')?.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
    frequencyPenalty: root.find('frequency_penalty')?.number({ min: -2, max: 2 }),
    presencePenalty: root.find('presence_penalty')?.number({ min: -2, max: 2 }),
    repetitionPenalty: repetitionPenaltyOf(root),
  }
}

/** How a local model samples, with the defaults of the OpenAI API where the client says nothing. */
export function samplingOf(settings: SamplingSettings): Sampling {
  return {
    temperature: settings.temperature ?? 1,
    topP: settings.topP ?? 1,
    topK: settings.topK ?? 0,
    minP: settings.minP ?? 0,
    seed: settings.seed,
    frequencyPenalty: settings.frequencyPenalty ?? 0,
    presencePenalty: settings.presencePenalty ?? 0,
    repetitionPenalty: settings.repetitionPenalty ?? 1,
    logitBias: settings.logitBias ?? {},
  }
}

/** The first of the given fields that is set: an upper bound on generated tokens. */
export function maxTokensOf(root: Field, names: readonly string[]): number | undefined {
  const values = names.map((name) => root.find(name)?.integer({ min: 1, max: largestInt32 }))
  return values.find((value) => value !== undefined)
}

/** Up to 16 strings, none of them empty. */
export function stopOf(root: Field): string[] {
  const stop = root.find('stop')
  if (stop === undefined) return []
  const fields = stop.kind === 'array' ? stop.elements() : [stop]
  if (fields.length > mostStops) {
    throw new IncipitError('invalid_request', `/stop has ${fields.length} strings, ${mostStops} allowed`, {
      param: stop.pointer,
    })
  }
  return fields.map((field) => field.string() || field.fail('a string of at least 1 character'))
}

/** Alternatives per token; `undefined` = no log-probabilities wanted. */
export function topLogprobsOf(root: Field): number | undefined {
  const wanted = root.find('logprobs')?.boolean() ?? false
  const top = root.find('top_logprobs')
  const count = top?.integer({ min: 0, max: mostLogprobs })
  if (!wanted && top !== undefined && count !== 0) {
    throw new IncipitError('invalid_request', '/top_logprobs is set, but /logprobs is not true', { param: top.pointer })
  }
  return wanted ? (count ?? 0) : undefined
}

function repetitionPenaltyOf(root: Field): number | undefined {
  const field = root.find('repetition_penalty')
  // It divides logits: zero has no meaning.
  return field && (field.number({ min: 0, max: 2 }) || field.fail('a number above 0, up to 2'))
}

function logitBiasOf(root: Field): Record<number, number> | undefined {
  const field = root.find('logit_bias')?.object()
  if (field === undefined) return undefined
  const { document } = field
  const bias: Record<number, number> = {}
  for (const { key, value } of document.members(field.node)) {
    const name = document.string(key)
    if (!/^\d{1,10}$/.test(name) || Number(name) > largestInt32) {
      throw new IncipitError(
        'invalid_request',
        `/logit_bias has a name that is no token id from 0 to ${largestInt32}`,
        {
          param: field.pointer,
        },
      )
    }
    bias[Number(name)] = new Field(document, value, `${field.pointer}/${name}`).number({ min: -100, max: 100 })
  }
  return bias
}
