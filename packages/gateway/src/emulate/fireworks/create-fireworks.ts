import { answerChat, usageWithCached } from '../chat/answer-chat.ts'
import { chatPrompt } from '../chat/chat-prompt.ts'
import { checkMessages } from '../chat/check-messages.ts'
import { ReplicaChooser } from '../chat/choose-replica.ts'
import type { Part } from '../chat/render-chat.ts'
import { renderChat, renderChatStream } from '../chat/render-chat.ts'
import { digest, idOf } from '../digest.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import { bearerOf, headerOf, jsonBodyOf } from '../emulated-request.ts'
import { findOwner } from '../find-owner.ts'
import type { JsonObject } from '../json.ts'
import { objectOf, textOf } from '../json.ts'
import { blockEnds, lookUpBlocks } from '../look-up-blocks.ts'
import type { EmulatorOptions, Provider } from '../provider.ts'
import { Refusal } from '../refusal.ts'
import type { Frame, Reply } from '../reply.ts'
import { jsonReply, streamReply } from '../reply.ts'
import { TimedCache } from '../timed-cache.ts'
import { rules } from './rules.ts'

/**
 * Fireworks: `/inference/v1/chat/completions` over several replicas, each with a cache of its own.
 * @example createFireworks({ replicas: 2 }).handle(request)
 */
export function createFireworks(options: EmulatorOptions): Provider {
  const cache = new TimedCache(options.maxCacheEntries)
  const replicas = new ReplicaChooser(options.replicas ?? rules.replicas.value)
  return {
    handle: (request) => answered({ options, cache, replicas }, request),
    errorReply: (status) => errorReply(new Refusal(status, 'The emulator was asked for this error.')),
    errorFrame: () => errorFrame,
    cacheEntries: (now) => cache.entries(now),
    reset: () => {
      cache.clear()
      replicas.reset()
    },
  }
}

interface State {
  readonly options: EmulatorOptions
  readonly cache: TimedCache
  readonly replicas: ReplicaChooser
}

const errorFrame: Frame = {
  data: JSON.stringify({
    error: { object: 'error', type: 'internal_server_error', code: null, message: 'server error' },
  }),
  part: 'end',
}

function answered(state: State, request: EmulatedRequest): Reply {
  try {
    const reply = route(state, request)
    return { ...reply, headers: { 'x-request-id': idOf('', String(request.number)), ...reply.headers } }
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error)
    throw error
  }
}

function route(state: State, request: EmulatedRequest): Reply {
  const owner = findOwner(bearerOf(request) ?? '', state.options)
  if (bearerOf(request) === undefined || owner === undefined) {
    throw new Refusal(401, 'The API key you provided is invalid.', { code: 'UNAUTHORIZED', type: 'error' })
  }
  const { method, path } = request
  if (method === 'POST' && path === '/inference/v1/chat/completions') return chat(state, request, owner.org)
  if (method === 'GET' && path === '/inference/v1/models') return jsonReply(200, { object: 'list', data: [] })
  throw new Refusal(404, `there is no ${method} ${path}`, { code: 'NOT_FOUND' })
}

function chat(state: State, request: EmulatedRequest, org: string): Reply {
  const body = jsonBodyOf(request)
  const model = textOf(body['model'])
  if (model === undefined) throw new Refusal(400, 'model must be a string', { param: 'model' })
  if (!rules.modelNames.value.test(model)) {
    throw new Refusal(404, 'Model not found, inaccessible, and/or not deployed', { code: 'NOT_FOUND', param: 'model' })
  }
  checkMessages(body)
  const { sequence } = chatPrompt(body, {
    imageTokens: () => rules.attachmentTokens.value,
    attachmentTokens: rules.attachmentTokens.value,
  })
  const replica = state.replicas.choose(affinityOf(request, body))
  const { cached, commit } = lookUpBlocks(state.cache, {
    sequence,
    ...sharing(state.options, request, { body, org, model, replica }),
    positions: blockEnds(sequence.length, state.options.blockSize ?? rules.blockTokens.value),
    ttlMs: rules.ttlMs.value,
    now: request.receivedAt,
  })
  return { ...rendered(body, request, { sequence, cached }), onBegun: commit }
}

function rendered(
  body: JsonObject,
  request: EmulatedRequest,
  { sequence, cached }: { readonly sequence: Parameters<typeof answerChat>[2]; readonly cached: number },
): Reply {
  const { counts, ...answer } = answerChat(body, request, sequence)
  const usage = usageWithCached(counts, cached)
  const headers = {
    'fireworks-prompt-tokens': String(sequence.length),
    'fireworks-cached-prompt-tokens': String(cached),
  }
  const metrics: Part = body['perf_metrics_in_response'] === true ? { perf_metrics: headers } : {}
  if (body['stream'] !== true) return jsonReply(200, renderChat({ ...answer, usage, extra: metrics }), headers)
  const includeUsage = objectOf(body['stream_options'])['include_usage'] === true
  return streamReply(
    renderChatStream({ ...answer, usage }, { includeUsage, lastChunk: { usage, ...metrics } }),
    headers,
  )
}

/** Serverless caches belong to an account, those of a dedicated deployment to whoever calls it. */
function sharing(
  options: EmulatorOptions,
  request: EmulatedRequest,
  {
    body,
    org,
    model,
    replica,
  }: { readonly body: JsonObject; readonly org: string; readonly model: string; readonly replica: number },
): { readonly seed: string; readonly scope: string } {
  const { header, field } = rules.isolation.value
  const isolation = headerOf(request, header) ?? textOf(body[field]) ?? ''
  const account = options.dedicated === true ? '' : org
  return { seed: digest(account, isolation, model, String(replica)), scope: `${account}/${model}/replica-${replica}` }
}

function affinityOf(request: EmulatedRequest, body: JsonObject): string | undefined {
  const { headers, fields } = rules.affinity.value
  const named = [...headers.map((name) => headerOf(request, name)), ...fields.map((name) => textOf(body[name]))]
  return named.find((value) => value !== undefined && value !== '')
}

function errorReply({ status, message, type, param, code }: Refusal): Reply {
  const kind = type ?? (status >= 500 ? 'internal_server_error' : 'invalid_request_error')
  return jsonReply(status, {
    error: { object: 'error', type: kind, code: code ?? kind, message, param: param ?? null },
  })
}
