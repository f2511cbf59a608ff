import { countTokens } from '../count-tokens.ts'
import { decideAnswer } from '../decide-answer.ts'
import { idOf } from '../digest.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import { bearerOf, headerOf, jsonBodyOf } from '../emulated-request.ts'
import { findOwner } from '../find-owner.ts'
import type { JsonObject } from '../json.ts'
import { given, isObject, listOf, numberOf, objectOf, textOf } from '../json.ts'
import { LatestEntries } from '../latest-entries.ts'
import type { EmulatorOptions, KeyOwner, Provider } from '../provider.ts'
import { Refusal } from '../refusal.ts'
import type { Frame, Reply } from '../reply.ts'
import { jsonReply, streamReply } from '../reply.ts'
import { synthesiseText } from '../synthesise-text.ts'
import { TimedCache } from '../timed-cache.ts'
import { checkRequest, thinks } from './check-request.ts'
import type { Remembered } from './diagnose.ts'
import { diagnose } from './diagnose.ts'
import { findBreakpoints } from './find-breakpoints.ts'
import { listModels, modelReply } from './list-models.ts'
import type { AnthropicModel } from './models.ts'
import type { PromptBlock } from './prompt-blocks.ts'
import { promptBlocks } from './prompt-blocks.ts'
import { lookUp } from './prompt-cache.ts'
import { RateMeter } from './rate-meter.ts'
import type { AnsweredMessage } from './render-message.ts'
import { renderMessage, renderStream } from './render-message.ts'
import { maxBodyBytes } from './rules.ts'
import { refuse } from './wording.ts'

const thinkingWords = 12

/**
 * Anthropic Messages: `/v1/messages`, `/v1/messages/count_tokens`, `/v1/models`.
 * @example createAnthropic({}).handle(request)
 */
export function createAnthropic(options: EmulatorOptions): Provider {
  const cache = new TimedCache(options.maxCacheEntries)
  const remembered = new LatestEntries<Remembered>()
  const meter = new RateMeter()
  const state: State = { options, cache, remembered, meter }
  return {
    handle: (request) => answered(state, request),
    errorReply: (status) =>
      errorReply(new Refusal(status, faultMessages[status] ?? 'The emulator was asked for this error.'), 'req_fault'),
    errorFrame: () => errorFrame,
    cacheEntries: (now) => cache.entries(now),
    reset: () => {
      cache.clear()
      remembered.clear()
      meter.clear()
    },
  }
}

interface State {
  readonly options: EmulatorOptions
  readonly cache: TimedCache
  readonly remembered: LatestEntries<Remembered>
  readonly meter: RateMeter
}

const faultMessages: Readonly<Record<number, string>> = {
  429: 'This request would exceed the rate limit for your organization.',
  500: 'Internal server error',
  529: 'Overloaded',
}

const errorFrame: Frame = {
  event: 'error',
  data: JSON.stringify({
    type: 'error',
    error: { type: 'overloaded_error', message: 'Overloaded' },
    request_id: 'req_fault',
  }),
  part: 'end',
}

function answered(state: State, request: EmulatedRequest): Reply {
  const requestId = idOf('req_', String(request.number), String(request.receivedAt))
  try {
    const owner = authenticate(request, state.options)
    const reply = route(state, request, owner)
    const who = { 'anthropic-organization-id': owner.org, 'anthropic-workspace-id': owner.workspace }
    return { ...reply, headers: { ...reply.headers, 'request-id': requestId, ...who } }
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error, requestId)
    throw error
  }
}

function authenticate(request: EmulatedRequest, options: EmulatorOptions): Required<KeyOwner> {
  const key = headerOf(request, 'x-api-key') ?? bearerOf(request)
  if (key === undefined || key === '')
    throw new Refusal(401, 'x-api-key header is required', { type: 'authentication_error' })
  const owner = findOwner(key, options)
  if (owner === undefined) throw new Refusal(401, 'invalid x-api-key', { type: 'authentication_error' })
  if (headerOf(request, 'anthropic-version') === undefined) {
    throw new Refusal(400, 'anthropic-version: header is required', { type: 'invalid_request_error' })
  }
  return owner
}

function route(state: State, request: EmulatedRequest, owner: Required<KeyOwner>): Reply {
  const { method, path } = request
  if (request.body.length > maxBodyBytes.value) {
    throw new Refusal(413, `Request of ${request.body.length} bytes exceeds the maximum of ${maxBodyBytes.value}`)
  }
  if (method === 'POST' && path === '/v1/messages') return message(state, request, owner)
  if (method === 'POST' && path === '/v1/messages/count_tokens') return count(state, request, owner)
  if (method === 'GET' && path === '/v1/models') return listModels(request)
  if (method === 'GET' && path.startsWith('/v1/models/')) return modelReply(path.slice('/v1/models/'.length))
  throw new Refusal(404, `there is no ${method} ${path}`, { type: 'not_found_error' })
}

function message(state: State, request: EmulatedRequest, owner: Required<KeyOwner>): Reply {
  const body = jsonBodyOf(request)
  const model = checkRequest(body, request, { ...state.options, counting: false })
  const blocks = promptBlocks(body, model, owner)
  const breakpoints = findBreakpoints(body, blocks)
  const total = blocks.at(-1)?.end ?? 0
  if (total > model.maxInputTokens) throw refuse('tooLong', '', total, model.maxInputTokens)
  const now = request.receivedAt
  const { usage, commit } = lookUp(state.cache, {
    blocks,
    breakpoints,
    model,
    scope: `${owner.org}/${owner.workspace}/${model.id}`,
    now,
  })
  const id = idOf('msg_', blocks.at(-1)?.hash ?? '', String(request.number))
  const current = { org: owner.org, model: String(body['model']), blocks }
  const answer: AnsweredMessage = {
    id,
    model: current.model,
    usage,
    ...saidTo(body, request, { blocks, model }),
    diagnostics: diagnosticsOf(state, body, current),
    speed: textOf(body['speed']) ?? 'standard',
  }
  state.remembered.set(id, current)
  const limits = state.meter.count(owner.org, {
    now,
    input: usage.fresh + usage.write5m + usage.write1h,
    output: answer.answer?.tokens ?? 0,
  })
  const reply =
    body['stream'] === true ? streamReply(renderStream(answer), limits) : jsonReply(200, renderMessage(answer), limits)
  return { ...reply, onBegun: commit }
}

function count(state: State, request: EmulatedRequest, owner: Required<KeyOwner>): Reply {
  const body = jsonBodyOf(request)
  const blocks = promptBlocks(body, checkRequest(body, request, { ...state.options, counting: true }), owner)
  findBreakpoints(body, blocks)
  return jsonReply(200, { input_tokens: blocks.at(-1)?.end ?? 0 })
}

function saidTo(
  body: JsonObject,
  request: EmulatedRequest,
  prompt: { readonly blocks: readonly PromptBlock[]; readonly model: AnthropicModel },
): Pick<AnsweredMessage, 'answer' | 'thinking'> {
  const maxTokens = numberOf(body['max_tokens']) ?? prompt.model.maxOutputTokens
  if (maxTokens === 0) return { answer: undefined, thinking: undefined }
  const seed = prompt.blocks.at(-1)?.hash ?? ''
  const thought = synthesiseText(`thinking ${seed}`, thinkingWords)
  const thinking = thinks(body) ? { text: thought, tokens: countTokens(thought) } : undefined
  const answer = decideAnswer({
    seed,
    tools: callableTools(body),
    toolChoice: choiceOf(objectOf(body['tool_choice'])),
    afterToolResult: endsWithToolResult(body),
    schema: objectOf(objectOf(body['output_config'])['format'] ?? body['output_format'])['schema'],
    maxTokens: Math.max(1, maxTokens - (thinking?.tokens ?? 0)),
    stop: listOf(body['stop_sequences']).filter((sequence) => typeof sequence === 'string'),
    answerBytes: request.answerBytes,
  })
  return { answer, thinking }
}

/** Tools that the client runs; server tools never come back as a call here. */
function callableTools(body: JsonObject): readonly { readonly name: string; readonly schema: unknown }[] {
  return listOf(body['tools'])
    .map(objectOf)
    .filter((tool) => isObject(tool['input_schema']) && tool['defer_loading'] !== true)
    .map((tool) => ({ name: String(tool['name']), schema: tool['input_schema'] }))
}

function choiceOf(choice: JsonObject): 'auto' | 'none' | 'any' | { readonly name: string } {
  const { type, name } = choice
  if (type === 'tool') return { name: String(name) }
  return type === 'any' || type === 'none' ? type : 'auto'
}

function endsWithToolResult(body: JsonObject): boolean {
  const last = objectOf(listOf(body['messages']).at(-1))
  return last['role'] !== 'user' || listOf(last['content']).some((block) => objectOf(block)['type'] === 'tool_result')
}

function diagnosticsOf(state: State, body: JsonObject, current: Remembered): unknown {
  if (!given(body['diagnostics'])) return null
  const previous = textOf(objectOf(body['diagnostics'])['previous_message_id'])
  return { cache_miss_reason: previous === undefined ? null : diagnose(state.remembered.get(previous), current) }
}

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function errorReply({ status, type, message }: Refusal, requestId: string): Reply {
  const named = type ?? errorTypes[status] ?? 'api_error'
  return jsonReply(
    status,
    { type: 'error', error: { type: named, message }, request_id: requestId },
    { 'request-id': requestId },
  )
}
