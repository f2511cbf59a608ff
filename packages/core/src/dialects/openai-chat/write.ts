import type { CacheMark, Conversation, ExtraField } from '../../domain/conversation.ts'
import type { MarkRules, WriteTarget, WrittenBody } from '../../domain/dialect.ts'
import type { Warning } from '../../domain/warning.ts'
import { formatJson, writeTools } from '../shared/chat-write-tools.ts'
import { writeTurns } from '../shared/chat-write-turns.ts'
import { targetTtl } from '../shared/mark-ttl.ts'
import { notCarried } from '../shared/not-carried.ts'
import type { PlacedMarks } from '../shared/place-marks.ts'
import { lostAutomatic, placeMarks } from '../shared/place-marks.ts'
import type { JsonMemberText } from '../shared/write-json.ts'
import { jsonArray, jsonObject, jsonText } from '../shared/write-json.ts'

/** Members that mean the same here as in the dialect they come from. */
const sharedExtras = new Set(['metadata', 'store', 'safety_identifier', 'n', 'modalities', 'audio', 'prediction'])

const minutes: Readonly<Record<NonNullable<CacheMark['ttl']>, number>> = { '5m': 5, '30m': 30, '1h': 60, '12h': 720 }

/**
 * A Chat Completions body: settings, then tools, then messages last. `stream_options.include_usage` is always set on
 * a stream: what a request cost is needed whatever its client asked to see. Sampling beyond the API of OpenAI is
 * left out, because that API refuses members it does not know.
 */
export function write(conversation: Conversation, target: WriteTarget): WrittenBody {
  const marks = placeMarks(conversation, target.marks)
  const warnings: Warning[] = [...marks.warnings]
  const mark = (place: Parameters<typeof marks.at.get>[0]): JsonMemberText | undefined => {
    const placed = marks.at.get(place)
    return placed && markMember(placed, target.marks)
  }
  const body = jsonObject([
    ['model', jsonText(target.model)],
    ...settingMembers(conversation, warnings),
    ...cacheMembers(conversation, target.marks, marks, warnings),
    ...extraMembers(conversation.extras, warnings),
    ['response_format', formatJson(conversation.settings.format)],
    ...writeTools(conversation.tools, conversation.settings, { mark, warnings }),
    ['messages', jsonArray(writeTurns(conversation.turns, { mark, warnings }))],
  ])
  return { body: new TextEncoder().encode(body), warnings }
}

function markMember({ ttl }: CacheMark, { field }: MarkRules): JsonMemberText {
  if (field === 'prompt_cache_breakpoint') return [field, '{"mode":"explicit"}']
  return ['cache_control', controlJson(ttl)]
}

function controlJson(ttl: CacheMark['ttl']): string {
  return jsonObject([
    ['type', '"ephemeral"'],
    ['ttl', jsonText(ttl)],
  ])
}

function settingMembers({ settings, stream }: Conversation, warnings: Warning[]): JsonMemberText[] {
  const { reasoning, stop, logitBias, topLogprobs } = settings
  warnings.push(
    ...notCarried(
      [
        ['top_k', settings.topK],
        ['min_p', settings.minP],
        ['repetition_penalty', settings.repetitionPenalty],
        ['reasoning budget', reasoning?.budgetTokens],
        ['thinking', reasoning?.thinking],
        ['reasoning summary', reasoning?.summary],
      ],
      'chat',
    ),
  )
  const limit = settings.maxOutputTokens === 0 ? 1 : settings.maxOutputTokens
  if (limit !== settings.maxOutputTokens) {
    const detail = 'an answer of 0 tokens cannot be asked for here: 1 is'
    warnings.push({ code: 'value_changed', where: 'max_tokens', detail })
  }
  return [
    ['stream', stream ? 'true' : undefined],
    ['stream_options', stream ? '{"include_usage":true}' : undefined],
    ['max_completion_tokens', jsonText(limit)],
    ['temperature', jsonText(settings.temperature)],
    ['top_p', jsonText(settings.topP)],
    ['seed', jsonText(settings.seed)],
    ['frequency_penalty', jsonText(settings.frequencyPenalty)],
    ['presence_penalty', jsonText(settings.presencePenalty)],
    ['logit_bias', logitBias && JSON.stringify(logitBias)],
    ['logprobs', topLogprobs === undefined ? undefined : 'true'],
    ['top_logprobs', jsonText(topLogprobs)],
    ['stop', stop.length === 0 ? undefined : jsonArray(stop.map((text) => jsonText(text)))],
    ['reasoning_effort', jsonText(reasoning?.effort)],
    ['verbosity', jsonText(settings.verbosity)],
    ['service_tier', jsonText(settings.serviceTier)],
    ['user', jsonText(settings.user)],
  ]
}

function cacheMembers(
  { cache }: Conversation,
  rules: MarkRules,
  { at }: PlacedMarks,
  warnings: Warning[],
): JsonMemberText[] {
  const options =
    rules.field === 'prompt_cache_breakpoint' ? optionsJson(cache, rules, [...at.values()], warnings) : undefined
  if (options !== undefined) {
    // The two are not known to go together.
    warnings.push(...notCarried([['prompt_cache_retention', cache.retention]], 'a request with prompt_cache_options'))
  }
  const following = followingMark(cache, rules, at.size < rules.max, warnings)
  return [
    ['prompt_cache_key', jsonText(cache.key)],
    ['prompt_cache_retention', options === undefined ? jsonText(cache.retention) : undefined],
    ['prompt_cache_options', options],
    ['cache_control', following],
  ]
}

/** The top-level mark, where the upstream takes one. Where it takes breakpoints, following happens by itself. */
function followingMark(
  { automatic, automaticPointer }: Conversation['cache'],
  rules: MarkRules,
  isFree: boolean,
  warnings: Warning[],
): string | undefined {
  if (rules.field === 'prompt_cache_breakpoint') return undefined
  if (automatic !== undefined && rules.automatic && rules.field === 'cache_control' && isFree) {
    const life = targetTtl(automatic, rules, 'cache_control')
    warnings.push(...life.warnings)
    return controlJson(life.ttl)
  }
  warnings.push(...lostAutomatic(automaticPointer, 'this upstream takes no mark that moves along, or no more marks'))
  return undefined
}

/** One life for all marks of the request: the longest asked for. The one that a bare mark has goes unsaid. */
function optionsJson(
  { mode, automatic }: Conversation['cache'],
  rules: MarkRules,
  marks: readonly CacheMark[],
  warnings: Warning[],
): string | undefined {
  const following = automatic && targetTtl(automatic, rules, 'prompt_cache_options')
  warnings.push(...(following?.warnings ?? []))
  const lives = [...marks.map(({ ttl }) => ttl), following?.ttl].filter((ttl) => ttl !== undefined)
  const ttl = lives.reduce<CacheMark['ttl']>(
    (longest, life) => (longest === undefined || minutes[life] > minutes[longest] ? life : longest),
    undefined,
  )
  if (mode === undefined && ttl === undefined) return undefined
  return jsonObject([
    ['mode', jsonText(mode)],
    ['ttl', jsonText(ttl)],
  ])
}

function extraMembers(extras: readonly ExtraField[], warnings: Warning[]): JsonMemberText[] {
  for (const { name, pointer } of extras) {
    if (sharedExtras.has(name)) continue
    warnings.push({ code: 'field_not_carried', where: pointer, detail: 'chat has no such member' })
  }
  return extras.filter(({ name }) => sharedExtras.has(name)).map(({ name, json }) => [name, json])
}
