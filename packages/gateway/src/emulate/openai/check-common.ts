import type { JsonObject } from '../json.ts'
import { given, isObject, kindOf, listOf, objectOf, textOf } from '../json.ts'
import { Refusal } from '../refusal.ts'
import { checkStrictSchema } from './check-strict-schema.ts'
import type { OpenAiModel } from './models.ts'
import { findModel } from './models.ts'
import { cacheOptionFields, imageTypes, partFields } from './rules.ts'
import { refuse } from './wording.ts'

/** @throws Refusal 400 for a field that the path does not have */
export function checkFields(body: JsonObject, known: readonly string[], at: string = ''): void {
  for (const field of Object.keys(body)) if (!known.includes(field)) throw refuse('unknown', `${at}${field}`)
}

/** @throws Refusal 404 for a model that does not exist */
export function modelOf(body: JsonObject): OpenAiModel {
  const id = body['model']
  if (!given(id)) throw refuse('required', 'model')
  if (typeof id !== 'string') throw refuse('wrongType', 'model', 'a string', kindOf(id))
  const model = findModel(id)
  if (model !== undefined) return model
  throw new Refusal(404, `The model \`${id}\` does not exist or you do not have access to it.`, {
    type: 'invalid_request_error',
    code: 'model_not_found',
  })
}

/** The cache fields that both APIs have. @throws Refusal for what the model's generation does not take */
export function checkCacheFields(body: JsonObject, model: OpenAiModel, api: 'chat' | 'responses'): void {
  checkString(body, 'prompt_cache_key')
  const retention = body['prompt_cache_retention']
  if (given(retention) && !(model.retentions as readonly unknown[]).includes(retention)) {
    throw refuse('retention', 'prompt_cache_retention', model.retentions.map((name) => `'${name}'`).join(' or '))
  }
  const options = body['prompt_cache_options']
  if (!given(options)) return
  if (!isObject(options)) throw refuse('wrongType', 'prompt_cache_options', 'an object', kindOf(options))
  if (model.caching === 'automatic') throw refuse('unsupported', 'prompt_cache_options')
  checkFields(options, cacheOptionFields.value[api], 'prompt_cache_options.')
  if (given(options['mode']) && !['implicit', 'explicit'].includes(String(options['mode']))) {
    throw refuse('invalidValue', 'prompt_cache_options.mode', "'implicit' and 'explicit'")
  }
  const ttls: readonly string[] = api === 'responses' ? model.ttls : ['30m']
  if (given(options['ttl']) && !ttls.includes(String(options['ttl']))) {
    throw refuse('invalidValue', 'prompt_cache_options.ttl', ttls.map((ttl) => `'${ttl}'`).join(' and '))
  }
}

/** @throws Refusal when a stream option stands without a stream */
export function checkStream(body: JsonObject): void {
  if (given(body['stream_options']) && body['stream'] !== true) throw refuse('streamOptions', 'stream_options')
}

/** One part of a message's content. @throws Refusal for parts, images and breakpoints that are none */
export function checkPart(part: unknown, at: string, model: OpenAiModel): void {
  if (!isObject(part)) throw refuse('wrongType', at, 'an object', kindOf(part))
  const type = textOf(part['type'])
  if (type === undefined) throw refuse('required', `${at}.type`)
  const known = Object.hasOwn(partFields.value, type) ? partFields.value[type] : undefined
  if (known !== undefined) checkFields(part, known, `${at}.`)
  if (type.endsWith('text') && typeof part['text'] !== 'string') throw refuse('required', `${at}.text`)
  checkBreakpoint(part['prompt_cache_breakpoint'], `${at}.prompt_cache_breakpoint`, model)
  if (type === 'image_url') checkImage(textOf(objectOf(part['image_url'])['url']), `${at}.image_url`)
  if (type === 'input_image' && given(part['image_url'])) checkImage(textOf(part['image_url']), `${at}.image_url`)
}

/** Tools in either shape: with the function one level down (chat) or not (responses). @throws Refusal */
export function checkTools(body: JsonObject): void {
  if (!given(body['tools'])) return
  if (!Array.isArray(body['tools'])) throw refuse('wrongType', 'tools', 'an array', kindOf(body['tools']))
  for (const [index, tool] of listOf(body['tools']).map(objectOf).entries()) {
    if (textOf(tool['type']) === undefined) throw refuse('required', `tools[${index}].type`)
    if (tool['type'] === 'function') checkFunction(tool, `tools[${index}]`)
  }
}

function checkFunction(tool: JsonObject, at: string): void {
  // A breakpoint on tools is a thing of other providers.
  const mark = ['cache_control', 'prompt_cache_breakpoint'].find((field) => given(tool[field]))
  if (mark !== undefined) throw refuse('unknown', `${at}.${mark}`)
  const nested = isObject(tool['function'])
  const inner = nested ? objectOf(tool['function']) : tool
  const where = nested ? `${at}.function` : at
  const name = textOf(inner['name'])
  if (name === undefined) throw refuse('required', `${where}.name`)
  if (inner['strict'] === true)
    checkStrictSchema(inner['parameters'], { kind: 'function', name, param: `${where}.parameters` })
}

function checkBreakpoint(mark: unknown, at: string, model: OpenAiModel): void {
  if (!given(mark)) return
  if (model.caching === 'automatic') throw refuse('unsupported', at)
  if (objectOf(mark)['mode'] !== 'explicit') throw refuse('invalidValue', `${at}.mode`, "'explicit'")
}

function checkString(body: JsonObject, field: string): void {
  const value = body[field]
  if (given(value) && typeof value !== 'string') throw refuse('wrongType', field, 'a string', kindOf(value))
}

function checkImage(url: string | undefined, at: string): void {
  if (url === undefined) throw refuse('required', `${at}.url`)
  if (/^https?:\/\//.test(url)) return
  const [, mediaType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(url) ?? []
  const valid = data !== undefined && data !== '' && data.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(data)
  if (!valid || !imageTypes.value.includes(mediaType ?? '')) throw refuse('badImage', at)
}
