import { answerChat, usageWithCached } from '../chat/answer-chat.ts'
import { chatPrompt } from '../chat/chat-prompt.ts'
import { checkMessages } from '../chat/check-messages.ts'
import { renderChat, renderChatStream } from '../chat/render-chat.ts'
import { digest } from '../digest.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import { bearerOf, jsonBodyOf } from '../emulated-request.ts'
import { findOwner } from '../find-owner.ts'
import type { JsonObject } from '../json.ts'
import { given, objectOf, textOf } from '../json.ts'
import { blockEnds, lookUpBlocks } from '../look-up-blocks.ts'
import type { EmulatorOptions, Provider } from '../provider.ts'
import { Refusal } from '../refusal.ts'
import type { Frame, Reply } from '../reply.ts'
import { jsonReply, streamReply } from '../reply.ts'
import { TimedCache } from '../timed-cache.ts'
import type { TokenSequence } from '../token-sequence.ts'
import { rules } from './rules.ts'

/**
 * vLLM: `/v1/chat/completions`, `/v1/models`, `/metrics`, `/health`, `/reset_prefix_cache`.
 * @example createVllm({ promptTokensDetails: true }).handle(request)
 */
export function createVllm(options: EmulatorOptions): Provider {
  const state: State = { options, cache: new TimedCache(options.maxCacheEntries), counters: new Map() }
  return {
    handle: (request) => answered(state, request),
    errorReply: (status) => errorReply(new Refusal(status, 'The emulator was asked for this error.')),
    errorFrame: () => errorFrame,
    cacheEntries: (now) => state.cache.entries(now),
    reset: () => {
      state.cache.clear()
      state.counters.clear()
    },
  }
}

interface State {
  readonly options: EmulatorOptions
  readonly cache: TimedCache
  readonly counters: Map<string, number>
}

const defaultModel = 'emulated'

const errorFrame: Frame = {
  data: JSON.stringify({
    error: { message: 'EngineCore encountered an issue.', type: 'InternalServerError', param: null, code: 500 },
  }),
  part: 'end',
}

function answered(state: State, request: EmulatedRequest): Reply {
  try {
    return route(state, request)
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error)
    throw error
  }
}

function route(state: State, request: EmulatedRequest): Reply {
  switch (`${request.method} ${request.path}`) {
    case 'GET /health':
    case 'GET /ping':
      return plainReply('')
    case 'GET /metrics':
      return plainReply(metricsOf(state), 'text/plain; version=0.0.4; charset=utf-8')
    case 'POST /reset_prefix_cache':
      state.cache.clear()
      return plainReply('')
    case 'GET /v1/models':
      return authenticated(state, request, () =>
        jsonReply(200, { object: 'list', data: (state.options.models ?? [defaultModel]).map(modelEntry) }),
      )
    case 'POST /v1/chat/completions':
      return authenticated(state, request, () => chat(state, request))
    default:
      throw new Refusal(404, 'Not Found', { type: 'NotFoundError' })
  }
}

/** vLLM has no keys unless it was started with some. */
function authenticated(state: State, request: EmulatedRequest, answer: () => Reply): Reply {
  const { options } = state
  if (options.keys !== undefined && findOwner(bearerOf(request) ?? '', options) === undefined) {
    throw new Refusal(401, 'Unauthorized', { type: 'AuthenticationError' })
  }
  return answer()
}

function chat(state: State, request: EmulatedRequest): Reply {
  const body = jsonBodyOf(request)
  const model = textOf(body['model']) ?? state.options.models?.[0] ?? defaultModel
  if (state.options.models?.includes(model) === false) {
    throw new Refusal(404, `The model \`${model}\` does not exist.`, { type: 'NotFoundError', param: 'model' })
  }
  checkMessages(body)
  const salt = saltOf(body)
  const { sequence } = chatPrompt(body, {
    imageTokens: () => rules.attachmentTokens.value,
    attachmentTokens: rules.attachmentTokens.value,
  })
  const { cached, commit } = lookUp(state, request, {
    sequence,
    seed: digest(model, salt),
    scope: salt === '' ? model : `${model}/salted`,
  })
  const read = given(body[rules.bypassField.value]) ? 0 : cached
  const { counts, ...answer } = answerChat({ ...body, model }, request, sequence)
  // A bypass asks no block of the cache.
  count(state, {
    prefix_cache_queries: given(body[rules.bypassField.value]) ? 0 : sequence.length,
    prefix_cache_hits: read,
    prompt_tokens: sequence.length,
    prompt_tokens_cached: read,
    generation_tokens: counts.completion_tokens,
  })
  const usage =
    state.options.promptTokensDetails === true
      ? usageWithCached(counts, read)
      : { ...counts, prompt_tokens_details: null }
  const includeUsage = objectOf(body['stream_options'])['include_usage'] === true
  const completion = { ...answer, usage }
  const reply =
    body['stream'] === true
      ? streamReply(renderChatStream(completion, { includeUsage }))
      : jsonReply(200, renderChat(completion))
  return { ...reply, onBegun: commit }
}

function lookUp(
  { cache, options }: State,
  request: EmulatedRequest,
  place: { readonly sequence: TokenSequence; readonly seed: string; readonly scope: string },
): { readonly cached: number; readonly commit: () => void } {
  const positions = blockEnds(place.sequence.length, options.blockSize ?? rules.blockTokens.value)
  // Entries leave by age of use only; nothing times out.
  return lookUpBlocks(cache, { ...place, positions, ttlMs: Infinity, now: request.receivedAt })
}

function saltOf(body: JsonObject): string {
  const salt = body[rules.saltField.value]
  if (!given(salt)) return ''
  if (typeof salt === 'string' && salt !== '') return salt
  throw new Refusal(400, "Parameter 'cache_salt' must be a non-empty string if provided.", {
    param: rules.saltField.value,
  })
}

function count({ counters }: State, added: Readonly<Record<(typeof rules.metrics.value)[number], number>>): void {
  for (const name of rules.metrics.value) counters.set(name, (counters.get(name) ?? 0) + added[name])
}

function metricsOf({ counters, options }: State): string {
  const labels = `{engine="0",model_name="${options.models?.[0] ?? defaultModel}"}`
  return rules.metrics.value
    .map((name) => `# TYPE vllm:${name}_total counter\nvllm:${name}_total${labels} ${counters.get(name) ?? 0}\n`)
    .join('')
}

function modelEntry(id: string): Readonly<Record<string, unknown>> {
  return { id, object: 'model', created: 0, owned_by: 'vllm', root: id, parent: null, max_model_len: 131_072 }
}

function plainReply(text: string, type: string = 'text/plain'): Reply {
  return { status: 200, headers: { 'content-type': type }, content: { kind: 'body', text } }
}

function errorReply({ status, message, type, param }: Refusal): Reply {
  const kind = type ?? (status >= 500 ? 'InternalServerError' : 'BadRequestError')
  return jsonReply(status, { error: { message, type: kind, param: param ?? null, code: status } })
}
