import { countTokens } from '../count-tokens.ts'
import { digest, idOf } from '../digest.ts'
import type { EmulatedRequest } from '../emulated-request.ts'
import { jsonBodyOf } from '../emulated-request.ts'
import { Refusal } from '../refusal.ts'
import type { Reply } from '../reply.ts'
import { jsonReply, streamReply } from '../reply.ts'
import { checkCalls, checkResponses } from './check-responses.ts'
import type { OpenAiState } from './openai-state.ts'
import { lookUp } from './prompt-cache.ts'
import { responseFrames } from './render-response.ts'
import { inputItems, responsesPrompt } from './responses-prompt.ts'
import { itemsBefore, responseUsage, switchesOf } from './responses.ts'
import type { StoredResponse } from './stored-response.ts'
import { refuse } from './wording.ts'

const defaultLimit = 20

/** `GET`, `DELETE`, `/cancel` and `/input_items` of one response. @throws Refusal */
export function oneResponse(state: OpenAiState, request: EmulatedRequest, org: string): Reply {
  const [, , , id = '', action = ''] = request.path.split('/')
  const stored = state.responses.get(id)
  if (stored === undefined || stored.org !== org) {
    throw new Refusal(404, `Response with id '${id}' not found.`, { type: 'invalid_request_error' })
  }
  const route = `${request.method} ${action}`
  if (route === 'GET ') return retrieve(stored, request)
  if (route === 'DELETE ') {
    state.responses.delete(id)
    return jsonReply(200, { id, object: 'response', deleted: true })
  }
  if (route === 'POST cancel') return cancel(stored, request)
  if (route === 'GET input_items') return listInput(stored, request)
  throw new Refusal(404, `Invalid URL (${request.method} ${request.path})`, { type: 'invalid_request_error' })
}

/** `POST /v1/responses/input_tokens`. @throws Refusal */
export function countInput(state: OpenAiState, request: EmulatedRequest, org: string): Reply {
  const body = jsonBodyOf(request)
  const counted =
    'model input instructions previous_response_id conversation tools tool_choice text reasoning truncation parallel_tool_calls'
  checkResponses({ ...body, model: body['model'] ?? 'gpt-5' }, counted.split(' '))
  const items = [...itemsBefore(state, body, org), ...inputItems(body['input'])]
  return jsonReply(200, { object: 'response.input_tokens', input_tokens: responsesPrompt(body, items).sequence.length })
}

/** `POST /v1/responses/compact`: keeps the user's messages and folds the rest into one item. @throws Refusal */
export function compact(state: OpenAiState, request: EmulatedRequest, org: string): Reply {
  const body = jsonBodyOf(request)
  const model = checkResponses(body, [
    'model',
    'input',
    'instructions',
    'previous_response_id',
    'prompt_cache_key',
    'prompt_cache_retention',
    'prompt_cache_options',
    'service_tier',
  ])
  const items = [...itemsBefore(state, body, org), ...inputItems(body['input'])]
  checkCalls(items)
  const prompt = responsesPrompt(body, items)
  const { usage, commit } = lookUp(state, {
    body,
    prompt,
    model,
    org,
    switches: switchesOf(body),
    now: request.receivedAt,
  })
  const seed = prompt.sequence.hash(model.id)
  const encrypted = Buffer.from(digest('compaction', seed), 'hex').toString('base64')
  const kept = items
    .filter((item) => item['role'] === 'user')
    .map((item, index) => ({ id: idOf('msg_', seed, String(index)), status: 'completed', type: 'message', ...item }))
  const reply = jsonReply(200, {
    id: idOf('resp_', seed, String(request.number)),
    object: 'response.compaction',
    created_at: Math.floor(request.receivedAt / 1_000),
    output: [...kept, { id: idOf('cmp_', seed), type: 'compaction', encrypted_content: encrypted }],
    usage: responseUsage(prompt, countTokens(encrypted), usage),
  })
  return { ...reply, onBegun: commit }
}

function retrieve(stored: StoredResponse, request: EmulatedRequest): Reply {
  if (request.query.get('stream') === 'true') return streamReply(responseFrames(stored.response))
  return jsonReply(200, shownAt(stored, request.receivedAt))
}

function cancel(stored: StoredResponse, request: EmulatedRequest): Reply {
  if (!stored.background) throw refuse('notCancellable', 'response_id')
  if (request.receivedAt < stored.doneAt) stored.cancelled = true
  return jsonReply(200, shownAt(stored, request.receivedAt))
}

function shownAt({ response, cancelled, doneAt }: StoredResponse, now: number): unknown {
  if (!cancelled && now >= doneAt) return response
  return { ...response, status: cancelled ? 'cancelled' : 'in_progress', output: [], usage: null, completed_at: null }
}

function listInput({ input }: StoredResponse, { query }: EmulatedRequest): Reply {
  const ordered = query.get('order') === 'asc' ? input : input.toReversed()
  const start = ordered.findIndex((item) => item['id'] === query.get('after')) + 1
  const data = ordered.slice(start, start + Number(query.get('limit') ?? defaultLimit)).map(listed)
  return jsonReply(200, {
    object: 'list',
    data,
    first_id: data[0]?.['id'] ?? null,
    last_id: data.at(-1)?.['id'] ?? null,
    has_more: start + data.length < ordered.length,
  })
}

/** Items are listed in full: a text is one part. */
function listed(item: StoredResponse['input'][number]): StoredResponse['input'][number] {
  const { content } = item
  if (typeof content !== 'string') return item
  return { type: 'message', ...item, content: [{ type: 'input_text', text: content }] }
}
