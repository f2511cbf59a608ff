import type { AnswerFormat, ConversationSettings, Reasoning } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import type { Field } from '../field.ts'
import { warnOfOthers } from './read-parts.ts'

const largestInt32 = 2 ** 31 - 1

/** Members that `readSettings` reads. */
export const settingFields: readonly string[] = [
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'service_tier',
  'metadata',
]

/** How a Messages body wants its answer. `max_tokens` is left to the API to require: counting needs none. */
export function readSettings(root: Field, warnings: Warning[]): ConversationSettings {
  return {
    ...readToolChoice(root.find('tool_choice')?.object()),
    // 0 fills the cache and generates nothing.
    maxOutputTokens: root.find('max_tokens')?.integer({ min: 0, max: largestInt32 }),
    temperature: root.find('temperature')?.number({ min: 0, max: 1 }),
    topP: root.find('top_p')?.number({ min: 0, max: 1 }),
    topK: root.find('top_k')?.integer({ min: 0, max: largestInt32 }),
    minP: undefined,
    seed: undefined,
    frequencyPenalty: undefined,
    presencePenalty: undefined,
    repetitionPenalty: undefined,
    logitBias: undefined,
    topLogprobs: undefined,
    stop: (root.find('stop_sequences')?.elements() ?? []).map((text) => text.string()),
    format: readFormat(root),
    reasoning: readReasoning(root, warnings),
    verbosity: undefined,
    serviceTier: root.find('service_tier')?.string(),
    user: readUser(root.find('metadata')?.object(), warnings),
    includeUsage: undefined,
  }
}

function readToolChoice(choice: Field | undefined): Pick<ConversationSettings, 'toolChoice' | 'parallelToolCalls'> {
  if (choice === undefined) return { toolChoice: undefined, parallelToolCalls: undefined }
  const type = choice.get('type').oneOf(['auto', 'any', 'tool', 'none'])
  const single = choice.find('disable_parallel_tool_use')?.boolean()
  const parallelToolCalls = single === undefined ? undefined : !single
  if (type === 'tool') return { toolChoice: { name: choice.get('name').string() }, parallelToolCalls }
  return { toolChoice: type === 'any' ? 'required' : type, parallelToolCalls }
}

function readFormat(root: Field): AnswerFormat | undefined {
  // `output_format` is where the beta had it.
  const format = root.find('output_config')?.object().find('format') ?? root.find('output_format')
  if (format === undefined) return undefined
  format.object().get('type').oneOf(['json_schema'])
  const { pointer, raw: schemaJson } = format.get('schema').object()
  return { kind: 'schema', pointer, name: undefined, description: undefined, schemaJson, strict: undefined }
}

function readReasoning(root: Field, warnings: Warning[]): Reasoning | undefined {
  const config = root.find('output_config')?.object()
  const thinking = root.find('thinking')?.object()
  if (config !== undefined) warnOfOthers(config, ['format', 'effort'], warnings)
  if (thinking !== undefined) warnOfOthers(thinking, ['type', 'budget_tokens'], warnings)
  const effort = config?.find('effort')?.string()
  if (effort === undefined && thinking === undefined) return undefined
  return {
    effort,
    budgetTokens: thinking?.find('budget_tokens')?.integer({ min: 0, max: largestInt32 }),
    thinking: thinking?.get('type').string(),
    summary: undefined,
  }
}

function readUser(metadata: Field | undefined, warnings: Warning[]): string | undefined {
  if (metadata === undefined) return undefined
  warnOfOthers(metadata, ['user_id'], warnings)
  return metadata.find('user_id')?.string()
}
