import type { EmulatedRequest } from '../emulated-request.ts'
import { Refusal } from '../refusal.ts'
import type { Reply } from '../reply.ts'
import { jsonReply } from '../reply.ts'
import type { AnthropicModel } from './models.ts'
import { findModel, modelRules } from './models.ts'

const defaultLimit = 20

/** `GET /v1/models`, with `limit`, `after_id` and `before_id`. */
export function listModels({ query }: EmulatedRequest): Reply {
  const limit = Number(query.get('limit') ?? defaultLimit)
  const all = modelRules.value
  const after = all.findIndex(({ id }) => id === query.get('after_id')) + 1
  const before = all.findIndex(({ id }) => id === query.get('before_id'))
  const end = before < 0 ? after + limit : before
  const start = before < 0 ? after : Math.max(0, before - limit)
  const data = all.slice(start, end).map(modelOf)
  return jsonReply(200, {
    data,
    has_more: before < 0 ? end < all.length : start > 0,
    first_id: data[0]?.['id'] ?? null,
    last_id: data.at(-1)?.['id'] ?? null,
  })
}

/** `GET /v1/models/{id}`. */
export function modelReply(id: string): Reply {
  const model = findModel(decodeURIComponent(id))
  if (model === undefined) throw new Refusal(404, `model: ${id}`, { type: 'not_found_error' })
  return jsonReply(200, modelOf({ ...model, id: decodeURIComponent(id) }))
}

function modelOf(model: AnthropicModel): Readonly<Record<string, unknown>> {
  return {
    type: 'model',
    id: model.id,
    display_name: model.displayName,
    // The documented value for an unknown date.
    created_at: '1970-01-01T00:00:00Z',
    deprecated_at: null,
    retires_at: null,
    lifecycle: 'active',
    line: model.line,
    capabilities: null,
    max_input_tokens: model.maxInputTokens,
    max_tokens: model.maxOutputTokens,
  }
}
