import type { AnsweredChat } from '../chat/answer-chat.ts'
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
import { given, numberOf, objectOf, textOf } from '../json.ts'
import { blockEnds, lookUpBlocks } from '../look-up-blocks.ts'
import type { EmulatorOptions, Provider } from '../provider.ts'
import { Refusal } from '../refusal.ts'
import type { Frame, Reply } from '../reply.ts'
import { jsonReply, streamReply } from '../reply.ts'
import { textPieces } from '../text-pieces.ts'
import { TimedCache } from '../timed-cache.ts'
import { rules } from './rules.ts'

/**
 * Workers AI: `/client/v4/accounts/{id}/ai/run/{model}` and its OpenAI-compatible path.
 * @example createWorkersAi({}).handle(request)
 */
export function createWorkersAi(options: EmulatorOptions): Provider {
  const cache = new TimedCache(options.maxCacheEntries)
  const instances = new ReplicaChooser(options.replicas ?? rules.instances.value)
  return {
    handle: (request) => answered({ options, cache, instances }, request),
    errorReply: (status) =>
      errorReply(
        new Refusal(status, 'AiError: the emulator was asked for this error', {
          code: String(rules.errorCodes.value.input),
        }),
      ),
    errorFrame: () => errorFrame,
    cacheEntries: (now) => cache.entries(now),
    reset: () => {
      cache.clear()
      instances.reset()
    },
  }
}

interface State {
  readonly options: EmulatorOptions
  readonly cache: TimedCache
  readonly instances: ReplicaChooser
}

const errorFrame: Frame = {
  data: JSON.stringify({
    errors: [{ code: rules.errorCodes.value.input, message: 'AiError: the model failed' }],
    success: false,
    result: null,
    messages: [],
  }),
  part: 'end',
}

function answered(state: State, request: EmulatedRequest): Reply {
  try {
    const reply = route(state, request)
    return { ...reply, headers: { 'cf-ray': idOf('', String(request.number)).slice(0, 16), ...reply.headers } }
  } catch (error) {
    if (error instanceof Refusal) return errorReply(error)
    throw error
  }
}

const paths = /^\/client\/v4\/accounts\/([0-9a-zA-Z_-]+)\/ai\/(?:run\/(.+)|(v1\/chat\/completions))$/

function route(state: State, request: EmulatedRequest): Reply {
  const [, account, run] = paths.exec(request.path) ?? []
  if (account === undefined || request.method !== 'POST') {
    throw refuse(404, 'route', `Could not route to ${request.path}, perhaps your object identifier is invalid?`)
  }
  const key = bearerOf(request)
  if (key === undefined || findOwner(key, state.options) === undefined) throw refuse(401, 'key', 'Authentication error')
  const body = jsonBodyOf(request)
  const model = run === undefined ? textOf(body['model']) : decodeURIComponent(run)
  if (model === undefined || !rules.modelNames.value.test(model))
    throw refuse(400, 'model', `No such model ${model ?? ''} or task`)
  return answer(state, request, { account, model, wrapped: run !== undefined, body: withMessages(body) })
}

/** A `prompt` is one user message. */
function withMessages(body: JsonObject): JsonObject {
  const { prompt, ...rest } = body
  return typeof prompt === 'string' && !given(body['messages'])
    ? { ...rest, messages: [{ role: 'user', content: prompt }] }
    : body
}

function answer(
  state: State,
  request: EmulatedRequest,
  {
    account,
    model,
    wrapped,
    body,
  }: { readonly account: string; readonly model: string; readonly wrapped: boolean; readonly body: JsonObject },
): Reply {
  checkMessages(body)
  const { sequence } = chatPrompt(body, {
    imageTokens: () => rules.attachmentTokens.value,
    attachmentTokens: rules.attachmentTokens.value,
  })
  const instance = state.instances.choose(headerOf(request, rules.affinityHeader.value))
  const caches = rules.cachingModels.value.includes(model.replace(/^.*\//, ''))
  const { cached, commit } = lookUpBlocks(state.cache, {
    sequence,
    seed: digest(account, model, String(instance)),
    scope: `${account}/${model}/instance-${instance}`,
    positions: caches ? blockEnds(sequence.length, state.options.blockSize ?? rules.blockTokens.value) : [],
    ttlMs: rules.ttlMs.value,
    now: request.receivedAt,
  })
  const asked = {
    ...body,
    model,
    max_tokens: numberOf(body['max_tokens']) ?? numberOf(body['max_completion_tokens']) ?? rules.defaultMaxTokens.value,
  }
  const { counts, ...chat } = answerChat(asked, request, sequence)
  const usage = usageWithCached(counts, cached)
  const reply = wrapped ? runReply(body, chat, usage) : chatReply(body, chat, usage)
  return { ...reply, onBegun: commit }
}

function chatReply(body: JsonObject, chat: Omit<AnsweredChat, 'counts'>, usage: Part): Reply {
  if (body['stream'] !== true) return jsonReply(200, renderChat({ ...chat, usage }))
  const includeUsage = objectOf(body['stream_options'])['include_usage'] === true
  return streamReply(renderChatStream({ ...chat, usage }, { includeUsage }))
}

function runReply(body: JsonObject, { answers }: Omit<AnsweredChat, 'counts'>, usage: Part): Reply {
  const [said] = answers
  const text = said?.kind === 'text' ? said.text : ''
  const calls =
    said?.kind === 'tool' ? { tool_calls: [{ name: said.name, arguments: JSON.parse(said.json) as unknown }] } : {}
  if (body['stream'] !== true) {
    return jsonReply(200, { result: { response: text, ...calls, usage }, success: true, errors: [], messages: [] })
  }
  const pieces = text === '' ? [''] : textPieces(text)
  return streamReply([
    ...pieces.map((response): Frame => ({ data: JSON.stringify({ response, ...calls }), part: 'content' })),
    { data: JSON.stringify({ response: '', usage }), part: 'usage' },
    { data: '[DONE]', part: 'end' },
  ])
}

function refuse(status: number, kind: keyof typeof rules.errorCodes.value, message: string): Refusal {
  return new Refusal(status, message, { code: String(rules.errorCodes.value[kind]) })
}

function errorReply({ status, message, code }: Refusal): Reply {
  const number = code === undefined ? rules.errorCodes.value.input : Number(code)
  const worded = code === undefined ? `AiError: Bad input: ${message}` : message
  return jsonReply(status, { result: null, success: false, errors: [{ code: number, message: worded }], messages: [] })
}
