import type { Conversation } from '../../domain/conversation.ts'
import type { MarkRules, WriteTarget, WrittenBody } from '../../domain/dialect.ts'
import type { Warning } from '../../domain/warning.ts'
import { formatJson, writeTools } from '../shared/chat-write-tools.ts'
import { writeTurns } from '../shared/chat-write-turns.ts'
import { notCarried } from '../shared/not-carried.ts'
import { lostAutomatic, placeMarks } from '../shared/place-marks.ts'
import { jsonArray, jsonObject, jsonText } from '../shared/write-json.ts'

const target = 'ai/run'
/** The API caches by itself and takes no marks, whatever an upstream is configured to take. */
const noMarks: MarkRules = { field: 'none', max: 0, ttls: [], automatic: false }

/** The body of an `ai/run` call; the model stands in its path. Settings, then tools, then messages last. */
export function write(conversation: Conversation, _target: WriteTarget): WrittenBody {
  const { settings, cache, extras, stream } = conversation
  const { reasoning, stop } = settings
  const mark = (): undefined => undefined
  const warnings: Warning[] = [
    ...placeMarks(conversation, noMarks).warnings,
    ...lostAutomatic(cache.automaticPointer, `${target} takes no marks`),
    ...notCarried(
      [
        ['min_p', settings.minP],
        ['logit_bias', settings.logitBias],
        ['top_logprobs', settings.topLogprobs],
        ['reasoning budget', reasoning?.budgetTokens],
        ['thinking', reasoning?.thinking],
        ['reasoning summary', reasoning?.summary],
        ['verbosity', settings.verbosity],
        ['service_tier', settings.serviceTier],
        ['user', settings.user],
        ['prompt_cache_key', cache.key],
        ['prompt_cache_retention', cache.retention],
      ],
      target,
    ),
    ...extras.map(({ pointer }): Warning => {
      return { code: 'field_not_carried', where: pointer, detail: `${target} has no such member` }
    }),
  ]
  const body = jsonObject([
    ['stream', stream ? 'true' : undefined],
    ['max_tokens', jsonText(settings.maxOutputTokens)],
    ['temperature', jsonText(settings.temperature)],
    ['top_p', jsonText(settings.topP)],
    ['top_k', jsonText(settings.topK)],
    ['seed', jsonText(settings.seed)],
    ['repetition_penalty', jsonText(settings.repetitionPenalty)],
    ['frequency_penalty', jsonText(settings.frequencyPenalty)],
    ['presence_penalty', jsonText(settings.presencePenalty)],
    ['stop', stop.length === 0 ? undefined : jsonArray(stop.map((text) => jsonText(text)))],
    ['reasoning_effort', jsonText(reasoning?.effort)],
    ['response_format', formatJson(settings.format)],
    ...writeTools(conversation.tools, settings, { mark, warnings }),
    ['messages', jsonArray(writeTurns(conversation.turns, { mark, warnings }))],
  ])
  return { body: new TextEncoder().encode(body), warnings }
}
