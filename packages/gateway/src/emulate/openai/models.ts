import type { Rule } from '../rule.ts'
import { cacheRules } from './rules.ts'

/** What the emulator knows of a model. */
export interface OpenAiModel {
  readonly id: string
  /** `explicit`: from GPT-5.6, with breakpoints and a billed write. */
  readonly caching: 'automatic' | 'explicit'
  /** Tokens between two entries of an automatic cache. */
  readonly stepTokens: number
  readonly retentions: readonly ('in_memory' | '24h')[]
  readonly ttls: readonly ('30m' | '12h')[]
  /** Refuses `max_tokens` in favour of `max_completion_tokens`. */
  readonly reasoning: boolean
  /** Tools need the Responses API. */
  readonly toolsInResponsesOnly: boolean
}

const automatic = ['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'gpt-4.1-mini', 'gpt-4.1-nano']
const automaticReasoning =
  'gpt-5 gpt-5-mini gpt-5-nano gpt-5.1 gpt-5.2 gpt-5.4 gpt-5.4-mini gpt-5.4-nano gpt-5.5 gpt-5.5-pro o1 o3 o3-mini o4-mini'.split(
    ' ',
  )
const explicit =
  'gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna gpt-6-astra gpt-6-sol gpt-6-luna gpt-6.1-sol gpt-6.1-terra'.split(' ')

/** Generation, steps and retention by model. */
export const modelRules: Rule<readonly OpenAiModel[]> = {
  value: [
    ...automatic.map((id) => automaticModel(id, false)),
    ...automaticReasoning.map((id) => automaticModel(id, true)),
    ...explicit.map(explicitModel),
  ],
  source: 'https://developers.openai.com/api/docs/guides/prompt-caching',
  asOf: '2026-11-20',
  certainty: 'verified',
  note: 'max_tokens on reasoning models: https://github.com/tailcallhq/forgecode/issues/1081, seen there only',
}

/**
 * The model of an id, dated snapshots included.
 * @example findModel('gpt-4o-2024-08-06')?.caching // 'automatic'
 */
export function findModel(id: string): OpenAiModel | undefined {
  const base = id.replace(/-\d{4}-\d{2}-\d{2}$/, '')
  return modelRules.value.find((model) => model.id === base)
}

function automaticModel(id: string, reasoning: boolean): OpenAiModel {
  const only24h = id === 'gpt-5.5' || id === 'gpt-5.5-pro'
  return {
    id,
    caching: 'automatic',
    stepTokens: only24h ? 2_048 : cacheRules.stepTokens.value,
    retentions: only24h ? ['24h'] : ['in_memory', '24h'],
    ttls: [],
    reasoning,
    toolsInResponsesOnly: false,
  }
}

function explicitModel(id: string): OpenAiModel {
  const terra61 = id === 'gpt-6.1-terra'
  return {
    id,
    caching: 'explicit',
    stepTokens: 1,
    retentions: ['24h'],
    ttls: terra61 ? ['30m', '12h'] : ['30m'],
    reasoning: true,
    toolsInResponsesOnly: terra61,
  }
}
