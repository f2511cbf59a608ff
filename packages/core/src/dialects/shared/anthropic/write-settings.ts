import type { AnswerFormat, Conversation, ConversationSettings, ExtraField } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import { defaultMessagesMaxTokens } from '../../../rules/anthropic-defaults.ts'
import type { JsonMemberText } from '../write-json.ts'
import { jsonArray, jsonObject, jsonText } from '../write-json.ts'

const efforts: readonly string[] = ['low', 'medium', 'high', 'xhigh', 'max']

/** Members of other dialects that have the same name and meaning here; all others only share a name, or not even that. */
const sameExtras: readonly string[] = ['speed', 'inference_geo', 'mcp_servers', 'diagnostics']

/** All members of a body but `model`, `stream`, tools, system, messages and marks. */
export function writeSettings(conversation: Conversation, hasTools: boolean, warnings: Warning[]): JsonMemberText[] {
  const { settings } = conversation
  warnOfUnknown(conversation, warnings)
  return [
    ['max_tokens', jsonText(maxTokens(settings, warnings))],
    ['temperature', jsonText(temperature(settings, warnings))],
    ['top_p', jsonText(settings.topP)],
    // No bound is what leaving it out means.
    ['top_k', settings.topK === undefined || settings.topK <= 0 ? undefined : jsonText(settings.topK)],
    ['stop_sequences', stopSequences(settings, warnings)],
    ['thinking', thinking(settings, warnings)],
    ['output_config', outputConfig(settings, warnings)],
    ['tool_choice', hasTools ? toolChoice(settings) : withoutTools(settings, warnings)],
    ['service_tier', serviceTier(settings, warnings)],
    ['metadata', settings.user === undefined ? undefined : jsonObject([['user_id', jsonText(settings.user)]])],
    ...extras(conversation.extras, warnings),
  ]
}

function maxTokens({ maxOutputTokens }: ConversationSettings, warnings: Warning[]): number {
  if (maxOutputTokens !== undefined) return maxOutputTokens
  const { value } = defaultMessagesMaxTokens
  warnings.push({ code: 'value_defaulted', where: 'max_tokens', detail: `required here: ${value} is asked for` })
  return value
}

function temperature({ temperature: wanted }: ConversationSettings, warnings: Warning[]): number | undefined {
  if (wanted === undefined || wanted <= 1) return wanted
  warnings.push({ code: 'value_changed', where: 'temperature', detail: `from ${wanted} to 1, the highest taken` })
  return 1
}

function stopSequences({ stop }: ConversationSettings, warnings: Warning[]): string | undefined {
  const taken = stop.filter((text) => text.trim() !== '')
  if (taken.length < stop.length) {
    const detail = `${stop.length - taken.length} of ${stop.length} hold nothing but white space, which is not taken`
    warnings.push({ code: 'field_not_carried', where: 'stop', detail })
  }
  return taken.length === 0 ? undefined : jsonArray(taken.map((text) => jsonText(text)))
}

/** From what was said of thinking alone: effort and the limit of the answer say nothing of it (D-27). */
function thinking({ reasoning }: ConversationSettings, warnings: Warning[]): string | undefined {
  if (reasoning === undefined) return undefined
  const { thinking: type, budgetTokens, summary } = reasoning
  if (summary !== undefined) warnings.push(notCarried('reasoning.summary'))
  if (type === 'enabled' && budgetTokens === undefined) {
    warnings.push({ code: 'value_changed', where: 'thinking', detail: 'from enabled without a budget to adaptive' })
    return '{"type":"adaptive"}'
  }
  if (type === undefined && budgetTokens === undefined) return undefined
  return jsonObject([
    ['type', jsonText(type ?? 'enabled')],
    ['budget_tokens', jsonText(budgetTokens)],
  ])
}

function outputConfig({ reasoning, format }: ConversationSettings, warnings: Warning[]): string | undefined {
  const effort = effortOf(reasoning?.effort, warnings)
  const schema = schemaOf(format, warnings)
  if (effort === undefined && schema === undefined) return undefined
  return jsonObject([
    ['effort', jsonText(effort)],
    ['format', schema === undefined ? undefined : `{"type":"json_schema","schema":${schema}}`],
  ])
}

/** The schema in the client's bytes. */
function schemaOf(format: AnswerFormat | undefined, warnings: Warning[]): string | undefined {
  if (format?.kind === 'json') warnings.push(notCarried('format'))
  if (format?.kind !== 'schema') return undefined
  if (format.name !== undefined || format.description !== undefined) {
    warnings.push({ ...notCarried('format'), detail: 'name and description of a schema have no place here' })
  }
  if (format.strict === false) {
    warnings.push({ code: 'value_changed', where: 'format', detail: 'a schema always holds strictly here' })
  }
  return format.schemaJson
}

function effortOf(effort: string | undefined, warnings: Warning[]): string | undefined {
  if (effort === undefined || efforts.includes(effort)) return effort
  if (effort === 'minimal') {
    warnings.push({ code: 'value_changed', where: 'reasoning.effort', detail: 'from minimal to low, the lowest taken' })
    return 'low'
  }
  warnings.push(notCarried('reasoning.effort'))
  return undefined
}

function toolChoice({ toolChoice: choice, parallelToolCalls }: ConversationSettings): string | undefined {
  const single = parallelToolCalls === false ? 'true' : undefined
  if (choice === undefined && single === undefined) return undefined
  if (choice === 'none') return '{"type":"none"}'
  const named = typeof choice === 'object' ? choice.name : undefined
  return jsonObject([
    ['type', named === undefined ? (choice === 'required' ? '"any"' : '"auto"') : '"tool"'],
    ['name', jsonText(named)],
    ['disable_parallel_tool_use', single],
  ])
}

/** Without tools the API takes no choice among them, and `auto` and `none` mean nothing. */
function withoutTools({ toolChoice: choice }: ConversationSettings, warnings: Warning[]): undefined {
  if (choice === 'required' || typeof choice === 'object') warnings.push(notCarried('tool_choice'))
}

function serviceTier({ serviceTier: tier }: ConversationSettings, warnings: Warning[]): string | undefined {
  if (tier === undefined || tier === 'auto' || tier === 'standard_only') return jsonText(tier)
  if (tier === 'default') {
    warnings.push({ code: 'value_changed', where: 'service_tier', detail: 'from default to standard_only' })
    return '"standard_only"'
  }
  warnings.push(notCarried('service_tier'))
  return undefined
}

/** What is set to the value that changes nothing is not missed. */
function warnOfUnknown({ settings, cache }: Conversation, warnings: Warning[]): void {
  const unknown: readonly (readonly [name: string, isSet: boolean])[] = [
    ['min_p', (settings.minP ?? 0) !== 0],
    ['seed', settings.seed !== undefined],
    ['frequency_penalty', (settings.frequencyPenalty ?? 0) !== 0],
    ['presence_penalty', (settings.presencePenalty ?? 0) !== 0],
    ['repetition_penalty', (settings.repetitionPenalty ?? 1) !== 1],
    ['logit_bias', Object.keys(settings.logitBias ?? {}).length > 0],
    ['logprobs', settings.topLogprobs !== undefined],
    ['verbosity', settings.verbosity !== undefined],
    ['prompt_cache_key', cache.key !== undefined],
    ['prompt_cache_retention', cache.retention !== undefined],
  ]
  for (const [name, isSet] of unknown) if (isSet) warnings.push(notCarried(name))
}

function extras(fields: readonly ExtraField[], warnings: Warning[]): JsonMemberText[] {
  return fields.flatMap(({ name, pointer, json }): JsonMemberText[] => {
    if (sameExtras.includes(name)) return [[name, json]]
    // Nothing is kept here anyway; Codex says so with every request, and would be warned of it with every one.
    if (name === 'store' && json === 'false') return []
    warnings.push(notCarried(pointer))
    return []
  })
}

function notCarried(where: string): Warning {
  return { code: 'field_not_carried', where, detail: 'it has no counterpart here' }
}
