import type { AnswerFormat, ConversationSettings, Reasoning } from '../../../domain/conversation.ts'
import { Field } from '../field.ts'
import { maxTokensOf, samplingNumbers, stopOf } from '../sampling.ts'
import type { ReadContext } from './read-parts.ts'
import { readToolChoice } from './read-tools.ts'

/** The entry of `include` that asks for log-probabilities. */
export const logprobsInclude = 'message.output_text.logprobs'

/**
 * How a body wants to be answered. Sampling fields beyond the API are read as well: servers that speak it
 * take them by these names.
 *
 * @throws IncipitError naming the pointer of what is wrong
 */
export function readSettings(root: Field, context: ReadContext): ConversationSettings {
  const text = root.find('text')?.object()
  if (text !== undefined) warnOfOthers(text, ['format', 'verbosity'], context)
  return {
    maxOutputTokens: isPrewarm(root) ? 0 : maxTokensOf(root, ['max_output_tokens']),
    ...samplingNumbers(root),
    logitBias: undefined,
    topLogprobs: readTopLogprobs(root),
    stop: stopOf(root),
    toolChoice: readToolChoice(root),
    parallelToolCalls: root.find('parallel_tool_calls')?.boolean(),
    format: readFormat(text?.find('format')),
    reasoning: readReasoning(root.find('reasoning'), context),
    verbosity: text?.find('verbosity')?.string(),
    serviceTier: root.find('service_tier')?.string(),
    user: (root.find('user') ?? root.find('safety_identifier'))?.string(),
    // Means nothing here, where usage always comes; some clients send it and expect chat chunks back.
    includeUsage: root.find('stream_options')?.object().find('include_usage')?.boolean(),
  }
}

/** Says that members other than those read have no place in a conversation. */
export function warnOfOthers(field: Field, read: readonly string[], context: ReadContext): void {
  const { document } = field
  for (const { key, value } of document.members(field.node)) {
    const name = document.string(key)
    if (read.includes(name) || document.kind(value) === 'null') continue
    const member = new Field(document, value, `${field.pointer}/${name}`)
    const detail = 'is understood by the Responses API only'
    context.warnings.push({ code: 'field_not_carried', where: member.pointer, detail })
  }
}

/** `prompt_cache_options.prewarm`: the prompt is to be stored, and nothing generated. */
function isPrewarm(root: Field): boolean {
  return root.find('prompt_cache_options')?.object().find('prewarm')?.boolean() ?? false
}

function readTopLogprobs(root: Field): number | undefined {
  const count = root.find('top_logprobs')?.integer({ min: 0, max: 20 })
  const includes = (root.find('include')?.elements() ?? []).some((entry) => entry.string() === logprobsInclude)
  if (includes) return count ?? 0
  return count === 0 ? undefined : count
}

function readFormat(format: Field | undefined): AnswerFormat | undefined {
  if (format === undefined) return undefined
  const type = format.object().get('type').oneOf(['text', 'json_object', 'json_schema'])
  if (type === 'text') return { kind: 'text' }
  if (type === 'json_object') return { kind: 'json' }
  const schema = format.get('schema').object()
  return {
    kind: 'schema',
    pointer: schema.pointer,
    name: format.find('name')?.string(),
    description: format.find('description')?.string(),
    schemaJson: schema.raw,
    strict: format.find('strict')?.boolean(),
  }
}

function readReasoning(reasoning: Field | undefined, context: ReadContext): Reasoning | undefined {
  if (reasoning === undefined) return undefined
  warnOfOthers(reasoning.object(), ['effort', 'summary', 'generate_summary'], context)
  return {
    effort: reasoning.find('effort')?.string(),
    budgetTokens: undefined,
    thinking: undefined,
    // The second is what the first was called before.
    summary: (reasoning.find('summary') ?? reasoning.find('generate_summary'))?.string(),
  }
}
