import type { Conversation } from '../../domain/conversation.ts'
import type { WriteTarget, WrittenBody } from '../../domain/dialect.ts'
import { isOwnConversation } from '../shared/responses/own-conversation.ts'
import type { PlacedMarks } from '../shared/responses/place-marks.ts'
import { placeMarks } from '../shared/responses/place-marks.ts'
import type { WriteContext } from '../shared/responses/write-context.ts'
import { warn } from '../shared/responses/write-context.ts'
import { writeInput } from '../shared/responses/write-input.ts'
import { writeSettings, writeTools } from '../shared/responses/write-settings.ts'
import type { JsonMemberText } from '../shared/write-json.ts'
import { jsonObject, jsonText } from '../shared/write-json.ts'

/**
 * The Responses body that says the same: settings first, then tools, then the input, so that the part that
 * grows stands last. Instructions are items of the input, where breakpoints can stand; `instructions` takes none.
 */
export function write(conversation: Conversation, target: WriteTarget): WrittenBody {
  const placed = placeMarks(conversation, target.marks)
  const context: WriteContext = {
    own: isOwnConversation(conversation),
    marked: placed.on,
    warnings: [...placed.warnings],
  }
  const body = jsonObject([
    ['model', jsonText(target.model)],
    ['stream', conversation.stream ? 'true' : undefined],
    ...writeSettings(conversation, context),
    ...writeCache(conversation, target, { placed, context }),
    ['tools', writeTools(conversation.tools, context)],
    ['input', writeInput(conversation.turns, context)],
  ])
  return { body: new TextEncoder().encode(body), warnings: context.warnings }
}

interface CacheContext {
  readonly placed: PlacedMarks
  readonly context: WriteContext
}

function writeCache(
  conversation: Conversation,
  target: WriteTarget,
  { placed, context }: CacheContext,
): JsonMemberText[] {
  const { cache } = conversation
  const options = cacheOptions(conversation, target, { placed, context })
  if (options !== undefined && cache.retention !== undefined) {
    const detail = 'prompt_cache_options is sent, which may not stand beside it'
    warn(context, 'field_not_carried', 'prompt_cache_retention', detail)
  }
  return [
    ['prompt_cache_key', jsonText(cache.key)],
    ['prompt_cache_retention', options === undefined ? jsonText(cache.retention) : undefined],
    ['prompt_cache_options', options],
  ]
}

function cacheOptions(
  conversation: Conversation,
  target: WriteTarget,
  { placed, context }: CacheContext,
): string | undefined {
  const prewarm = conversation.settings.maxOutputTokens === 0
  const { mode } = conversation.cache
  if (target.marks.field !== 'prompt_cache_breakpoint') {
    const detail = 'this upstream takes no prompt_cache_options'
    if (prewarm) warn(context, 'value_changed', 'max_output_tokens', `0 output tokens were allowed; ${detail}`)
    if (mode === 'explicit') warn(context, 'field_not_carried', 'prompt_cache_options.mode', detail)
    return undefined
  }
  // Explicit without a breakpoint turns caching off: that is meant only where the client set no mark either.
  const lostAll = placed.on.size === 0 && placed.warnings.length > 0
  if (mode === 'explicit' && lostAll) {
    const detail = 'no explicit mark could be placed; without the implicit one nothing would be cached'
    warn(context, 'value_changed', 'prompt_cache_options.mode', detail)
  }
  const written = mode === 'explicit' && lostAll ? undefined : mode
  if (written === undefined && placed.ttl === undefined && !prewarm) return undefined
  return jsonObject([
    ['mode', jsonText(written)],
    ['ttl', jsonText(placed.ttl)],
    ['prewarm', prewarm ? 'true' : undefined],
  ])
}
