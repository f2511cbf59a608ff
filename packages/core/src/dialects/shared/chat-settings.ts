import type { AnswerFormat, ConversationSettings, Reasoning } from '../../domain/conversation.ts'
import type { Reading } from './chat-parts.ts'
import { chatToolChoice } from './chat-tools.ts'
import type { Field } from './field.ts'
import { leftOver } from './left-over.ts'
import { identityOf } from './prompt-head.ts'
import { maxTokensOf, samplingMembers, samplingSettings, stopOf } from './sampling.ts'
import { appendAll } from '../../domain/append.ts'

/** Members from which `chatSettings` reads. */
export const settingMembers: readonly string[] = [
  ...samplingMembers,
  'logit_bias',
  'max_completion_tokens',
  'max_tokens',
  'stop',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'reasoning',
  'thinking',
  'verbosity',
  'service_tier',
  'user',
]

const streamMembers = new Set(['include_usage'])
const formatMembers = new Set(['type', 'json_schema'])
const schemaMembers = new Set(['name', 'description', 'schema', 'strict'])
const reasoningMembers = new Set(['effort', 'max_tokens', 'summary'])
const thinkingMembers = new Set(['type', 'budget_tokens'])
const largestInt32 = 2 ** 31 - 1

/**
 * How a body of the chat family asks to be answered, in ranges that every model takes.
 * @throws IncipitError naming the pointer of what is out of range or of the wrong type
 * @example chatSettings(root, reading, ['max_completion_tokens', 'max_tokens'])
 */
export function chatSettings(root: Field, reading: Reading, tokenLimits: readonly string[]): ConversationSettings {
  return {
    ...samplingSettings(root),
    maxOutputTokens: maxTokensOf(root, tokenLimits),
    topLogprobs: undefined,
    stop: stopOf(root),
    toolChoice: chatToolChoice(root, reading),
    parallelToolCalls: root.find('parallel_tool_calls')?.boolean(),
    format: formatOf(root, reading),
    reasoning: reasoningOf(root, reading),
    verbosity: root.find('verbosity')?.string(),
    serviceTier: root.find('service_tier')?.string(),
    user: userOf(root, reading),
    includeUsage: undefined,
  }
}

/** Whether a streamed answer is to end with usage; `undefined` = the client said nothing. */
export function includeUsageOf(root: Field): boolean | undefined {
  return root.find('stream_options')?.object().find('include_usage')?.boolean()
}

/** `includeUsageOf`, with a warning for every other option of a stream. */
export function readStreamOptions(root: Field, reading: Reading): boolean | undefined {
  const options = root.find('stream_options')?.object()
  if (options !== undefined) appendAll(reading.warnings, leftOver(options, streamMembers))
  return includeUsageOf(root)
}

function userOf(root: Field, reading: Reading): string | undefined {
  const { user, metadataUserId } = identityOf(root)
  if (user !== undefined) return user
  const identifier = root.find('safety_identifier')
  if (identifier === undefined) return metadataUserId
  reading.known.add('safety_identifier')
  return identifier.string()
}

/** A format that only its provider knows (a grammar, a bare schema) stays among the extra members of the body. */
function formatOf(root: Field, reading: Reading): AnswerFormat | undefined {
  const format = root.find('response_format')?.object()
  if (format === undefined) return undefined
  const type = format.get('type')
  const name = type.string()
  if (name === 'text') return { kind: 'text' }
  if (name === 'json_object') return { kind: 'json', pointer: type.pointer }
  const definition = name === 'json_schema' ? format.find('json_schema') : undefined
  const schema = definition?.kind === 'object' ? definition.find('schema') : undefined
  if (definition === undefined || schema === undefined) {
    reading.known.delete('response_format')
    return undefined
  }
  appendAll(reading.warnings, leftOver(format, formatMembers))
  appendAll(reading.warnings, leftOver(definition, schemaMembers))
  return {
    kind: 'schema',
    pointer: schema.pointer,
    name: definition.find('name')?.string(),
    description: definition.find('description')?.string(),
    schemaJson: schema.object().raw,
    strict: definition.find('strict')?.boolean(),
  }
}

/** `reasoning_effort` of OpenAI, `reasoning` of OpenRouter, `thinking` of Moonshot, DeepSeek and Z.ai. */
function reasoningOf(root: Field, reading: Reading): Reasoning | undefined {
  const effort = root.find('reasoning_effort')?.string()
  const reasoning = objectOf(root, 'reasoning', reading, reasoningMembers)
  const thinking = objectOf(root, 'thinking', reading, thinkingMembers)
  const budget = reasoning?.find('max_tokens') ?? thinking?.find('budget_tokens')
  const read: Reasoning = {
    effort: effort ?? reasoning?.find('effort')?.string(),
    budgetTokens: budget?.integer({ min: 0, max: largestInt32 }),
    thinking: thinking?.find('type')?.string(),
    summary: reasoning?.find('summary')?.string(),
  }
  return Object.values(read).every((value) => value === undefined) ? undefined : read
}

function objectOf(root: Field, name: string, reading: Reading, known: ReadonlySet<string>): Field | undefined {
  const field = root.find(name)
  if (field === undefined) return undefined
  if (field.kind !== 'object') {
    reading.known.delete(name)
    return undefined
  }
  appendAll(reading.warnings, leftOver(field, known))
  return field
}
