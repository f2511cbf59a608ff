import type {
  AnswerFormat,
  Conversation,
  ConversationSettings,
  ExtraField,
  Tool,
} from '../../../domain/conversation.ts'
import type { JsonMemberText } from '../write-json.ts'
import { jsonArray, jsonObject, jsonText } from '../write-json.ts'
import { logprobsInclude } from './read-settings.ts'
import type { WriteContext } from './write-context.ts'
import { warn } from './write-context.ts'

/** The API answers 400 to a lower limit. */
const fewestOutputTokens = 16

/** Members that mean the same in Chat Completions and here. */
const sharedExtras: ReadonlySet<string> = new Set(['metadata', 'safety_identifier'])

/** How to answer, as members of a body in their fixed order. */
export function writeSettings(conversation: Conversation, context: WriteContext): JsonMemberText[] {
  const { settings, extras } = conversation
  return [
    ['store', writeStore(extras, context)],
    ['max_output_tokens', writeMaxTokens(settings.maxOutputTokens, context)],
    ['temperature', jsonText(settings.temperature)],
    ['top_p', jsonText(settings.topP)],
    ...writeSampling(settings, context),
    ['top_logprobs', jsonText(settings.topLogprobs)],
    ['include', writeInclude(settings, context.own ? extras : [])],
    ['tool_choice', writeToolChoice(settings.toolChoice)],
    ['parallel_tool_calls', jsonText(settings.parallelToolCalls)],
    ['reasoning', writeReasoning(settings, context)],
    ['text', writeText(settings, context)],
    ['service_tier', jsonText(settings.serviceTier)],
    ['user', jsonText(settings.user)],
    ...writeExtras(extras, context),
  ]
}

/** Tool definitions; schemas as the client wrote them. `undefined` where there are none. */
export function writeTools(tools: readonly Tool[], context: WriteContext): string | undefined {
  const written = tools.flatMap((tool) => writeTool(tool, context) ?? [])
  return written.length === 0 ? undefined : jsonArray(written)
}

function writeTool(tool: Tool, context: WriteContext): string | undefined {
  if (tool.kind === 'function') {
    return jsonObject([
      ['type', '"function"'],
      ['name', jsonText(tool.name)],
      ['description', jsonText(tool.description)],
      ['parameters', tool.schemaJson ?? 'null'],
      // Left out, this API takes a function as strict, all others as not.
      ['strict', jsonText(tool.strict ?? (context.own ? undefined : false))],
      ['defer_loading', tool.deferLoading ? 'true' : undefined],
    ])
  }
  if (context.own) return tool.json
  warn(context, 'tool_not_carried', tool.pointer, `a tool of type ${tool.type} is run by its own provider only`)
  return undefined
}

/** We send the whole history each time: a translated request leaves nothing stored behind. */
function writeStore(extras: readonly ExtraField[], context: WriteContext): string | undefined {
  const store = extras.find(({ name }) => name === 'store')
  if (context.own) return store?.json
  if (store?.json === 'true') warn(context, 'value_changed', store.pointer, 'a translated request is not stored')
  return 'false'
}

/** 0 = store the prompt and generate nothing, which is said elsewhere in this API. */
function writeMaxTokens(wanted: number | undefined, context: WriteContext): string | undefined {
  if (wanted === undefined || wanted === 0 || context.own || wanted >= fewestOutputTokens) {
    return jsonText(wanted === 0 ? undefined : wanted)
  }
  const detail = `${wanted} output tokens were allowed, ${fewestOutputTokens} is the lowest limit here`
  warn(context, 'value_changed', 'max_output_tokens', detail)
  return jsonText(fewestOutputTokens)
}

/** Beyond the API; a client of this dialect knows that its server takes them. */
function writeSampling(settings: ConversationSettings, context: WriteContext): JsonMemberText[] {
  const members: JsonMemberText[] = [
    ['top_k', jsonText(settings.topK)],
    ['min_p', jsonText(settings.minP)],
    ['seed', jsonText(settings.seed)],
    ['frequency_penalty', jsonText(settings.frequencyPenalty)],
    ['presence_penalty', jsonText(settings.presencePenalty)],
    ['repetition_penalty', jsonText(settings.repetitionPenalty)],
    ['logit_bias', settings.logitBias === undefined ? undefined : JSON.stringify(settings.logitBias)],
    ['stop', settings.stop.length === 0 ? undefined : JSON.stringify(settings.stop)],
  ]
  if (context.own) return members
  for (const [name, json] of members) {
    if (json !== undefined) warn(context, 'field_not_carried', name, `the Responses API has no ${name}`)
  }
  return []
}

function writeInclude(settings: ConversationSettings, extras: readonly ExtraField[]): string | undefined {
  const include = extras.find(({ name }) => name === 'include')?.json
  if (settings.topLogprobs === undefined) return include
  if (include === undefined) return JSON.stringify([logprobsInclude])
  const entries = JSON.parse(include) as string[]
  return JSON.stringify(entries.includes(logprobsInclude) ? entries : [...entries, logprobsInclude])
}

function writeToolChoice(choice: ConversationSettings['toolChoice']): string | undefined {
  if (choice === undefined || typeof choice === 'string') return jsonText(choice)
  return jsonObject([
    ['type', '"function"'],
    ['name', jsonText(choice.name)],
  ])
}

function writeReasoning({ reasoning }: ConversationSettings, context: WriteContext): string | undefined {
  if (reasoning?.budgetTokens !== undefined) {
    warn(context, 'field_not_carried', 'thinking.budget_tokens', 'this API takes an effort, not a budget')
  }
  if (reasoning?.thinking !== undefined) {
    warn(context, 'field_not_carried', 'thinking.type', 'this API takes an effort, not a switch')
  }
  if (reasoning?.effort === undefined && reasoning?.summary === undefined) return undefined
  return jsonObject([
    ['effort', jsonText(reasoning.effort)],
    ['summary', jsonText(reasoning.summary)],
  ])
}

function writeText({ format, verbosity }: ConversationSettings, context: WriteContext): string | undefined {
  if (format === undefined && verbosity === undefined) return undefined
  return jsonObject([
    ['format', format === undefined ? undefined : writeFormat(format, context)],
    ['verbosity', jsonText(verbosity)],
  ])
}

function writeFormat(format: AnswerFormat, context: WriteContext): string {
  if (format.kind === 'text') return '{"type":"text"}'
  if (format.kind === 'json') return '{"type":"json_object"}'
  if (format.name === undefined) warn(context, 'value_defaulted', 'text.format.name', 'a schema needs a name here')
  return jsonObject([
    ['type', '"json_schema"'],
    ['name', jsonText(format.name ?? 'answer')],
    ['description', jsonText(format.description)],
    ['strict', jsonText(format.strict)],
    ['schema', format.schemaJson],
  ])
}

function writeExtras(extras: readonly ExtraField[], context: WriteContext): JsonMemberText[] {
  return extras.flatMap(({ name, pointer, json }): JsonMemberText[] => {
    if (name === 'store' || (name === 'include' && context.own)) return []
    if (context.own || sharedExtras.has(name)) return [[name, json]]
    warn(context, 'field_not_carried', pointer, `the Responses API has no ${name} that means the same`)
    return []
  })
}
