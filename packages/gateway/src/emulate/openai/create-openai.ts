import { idOf } from '../digest.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import { bearerOf, jsonBodyOf } from '../emulated-request.ts'
import { findOwner } from '../find-owner.ts'
import { LatestEntries } from '../latest-entries.ts'
import type { EmulatorOptions, Provider } from '../provider.ts'
import { Refusal } from '../refusal.ts'
import type { Frame, Reply } from '../reply.ts'
import { jsonReply } from '../reply.ts'
import { TimedCache } from '../timed-cache.ts'
import { chat } from './chat.ts'
import { embeddings } from './embeddings.ts'
import { MachineRouter } from './machine-router.ts'
import { findModel, modelRules } from './models.ts'
import type { OpenAiState } from './openai-state.ts'
import { compact, countInput, oneResponse } from './response-routes.ts'
import { createResponse } from './responses.ts'
import { embeddingModels, rateLimits } from './rules.ts'

/**
 * OpenAI: `/v1/chat/completions`, `/v1/responses`, `/v1/models`, `/v1/embeddings`.
 * @example createOpenAi({}).handle(request)
 */
export function createOpenAi(options: EmulatorOptions): Provider {
  const state: OpenAiState = {
    options,
    cache: new TimedCache(options.maxCacheEntries),
    router: new MachineRouter(options.overflowRpm),
    responses: new LatestEntries(),
  }
  return {
    handle: (request) => answered(state, request),
    errorReply: (status) =>
      errorReply(
        new Refusal(status, faultMessages[status] ?? 'The emulator was asked for this error.', faultDetails(status)),
      ),
    errorFrame,
    cacheEntries: (now) => state.cache.entries(now),
    reset: () => {
      state.cache.clear()
      state.router.clear()
      state.responses.clear()
    },
  }
}

const faultMessages: Readonly<Record<number, string>> = {
  429: 'Rate limit reached for requests.',
  500: 'The server had an error while processing your request.',
  503: 'The engine is currently overloaded, please try again later.',
}

function faultDetails(status: number): { readonly type: string; readonly code?: string } {
  if (status === 429) return { type: 'requests', code: 'rate_limit_exceeded' }
  return { type: status >= 500 ? 'server_error' : 'invalid_request_error' }
}

/** Chat streams carry the error as a data line, Responses as an event of its own. */
function errorFrame(path: string): Frame {
  const message = 'The server had an error while processing your request.'
  if (path.includes('/responses')) {
    const data = { type: 'error', code: 'server_error', message, param: null, sequence_number: 0 }
    return { event: 'error', data: JSON.stringify(data), part: 'end' }
  }
  return { data: JSON.stringify({ error: { message, type: 'server_error', param: null, code: null } }), part: 'end' }
}

function answered(state: OpenAiState, request: EmulatedRequest): Reply {
  const headers = {
    'x-request-id': idOf('req_', String(request.number), String(request.receivedAt)),
    'openai-processing-ms': '1',
    'openai-version': '2020-10-01',
  }
  try {
    const org = authenticate(request, state.options)
    const reply = route(state, request, org)
    return { ...reply, headers: { ...reply.headers, ...headers, 'openai-organization': org, ...limitHeaders(request) } }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const reply = errorReply(error)
    return { ...reply, headers: { ...reply.headers, ...headers } }
  }
}

function authenticate(request: EmulatedRequest, options: EmulatorOptions): string {
  const key = bearerOf(request)
  const details = { type: 'invalid_request_error' }
  if (key === undefined) {
    throw new Refusal(401, "You didn't provide an API key: send it as 'Authorization: Bearer YOUR_KEY'.", details)
  }
  const owner = findOwner(key, options)
  if (owner === undefined)
    throw new Refusal(401, 'Incorrect API key provided.', { ...details, code: 'invalid_api_key' })
  return owner.org
}

function route(state: OpenAiState, request: EmulatedRequest, org: string): Reply {
  const { method, path } = request
  if (method === 'POST') {
    switch (path) {
      case '/v1/chat/completions':
        return chat(state, request, org)
      case '/v1/responses':
        return createResponse(state, request, org)
      case '/v1/responses/input_tokens':
        return countInput(state, request, org)
      case '/v1/responses/compact':
        return compact(state, request, org)
      case '/v1/embeddings':
        return embeddings(jsonBodyOf(request))
    }
  }
  if (path.startsWith('/v1/responses/')) return oneResponse(state, request, org)
  if (method === 'GET' && path === '/v1/models') return listModels()
  if (method === 'GET' && path.startsWith('/v1/models/'))
    return oneModel(decodeURIComponent(path.slice('/v1/models/'.length)))
  throw new Refusal(404, `Invalid URL (${method} ${path})`, { type: 'invalid_request_error' })
}

function listModels(): Reply {
  const ids = [...modelRules.value.map(({ id }) => id), ...Object.keys(embeddingModels.value)]
  return jsonReply(200, { object: 'list', data: ids.map(modelEntry) })
}

function oneModel(id: string): Reply {
  if (findModel(id) !== undefined || Object.hasOwn(embeddingModels.value, id)) return jsonReply(200, modelEntry(id))
  throw new Refusal(404, `The model '${id}' does not exist`, {
    type: 'invalid_request_error',
    param: 'model',
    code: 'model_not_found',
  })
}

function modelEntry(id: string): Readonly<Record<string, unknown>> {
  return { id, object: 'model', created: 0, owned_by: 'openai' }
}

function limitHeaders(request: EmulatedRequest): Record<string, string> {
  if (request.method !== 'POST') return {}
  const { requests, tokens } = rateLimits.value
  return {
    'x-ratelimit-limit-requests': String(requests),
    'x-ratelimit-limit-tokens': String(tokens),
    'x-ratelimit-remaining-requests': String(requests - 1),
    'x-ratelimit-remaining-tokens': String(tokens - Math.ceil(request.body.length / 4)),
    'x-ratelimit-reset-requests': '6ms',
    'x-ratelimit-reset-tokens': '1ms',
  }
}

function errorReply({ status, message, type, param, code }: Refusal): Reply {
  const kind = type ?? (status >= 500 ? 'server_error' : 'invalid_request_error')
  return jsonReply(status, { error: { message, type: kind, param: param ?? null, code: code ?? null } })
}
