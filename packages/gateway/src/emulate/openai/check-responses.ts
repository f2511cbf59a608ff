import type { JsonObject } from '../json.ts'
import { given, isObject, kindOf, listOf, objectOf, textOf } from '../json.ts'
import { checkCacheFields, checkFields, checkPart, checkStream, checkTools, modelOf } from './check-common.ts'
import { checkStrictSchema } from './check-strict-schema.ts'
import type { OpenAiModel } from './models.ts'
import { responsesFields } from './rules.ts'
import { refuse } from './wording.ts'

/** Refuses what Responses refuses in the body itself, and finds the model. @throws Refusal 400 and 404 */
export function checkResponses(body: JsonObject, allowed: readonly string[] = responsesFields.value): OpenAiModel {
  checkFields(body, allowed)
  const model = modelOf(body)
  const { input, instructions } = body
  if (given(instructions) && typeof instructions !== 'string')
    throw refuse('wrongType', 'instructions', 'a string', kindOf(instructions))
  if (!given(input) && !given(body['previous_response_id'])) throw refuse('required', 'input')
  if (given(input) && typeof input !== 'string' && !Array.isArray(input)) {
    throw refuse('wrongType', 'input', 'one of a string or array of input items', kindOf(input))
  }
  for (const [index, item] of listOf(input).entries()) checkItem(item, `input[${index}]`, model)
  checkCacheFields(body, model, 'responses')
  checkStream(body)
  checkTools(body)
  checkToolChoice(body)
  checkTextFormat(body)
  return model
}

/** The calls and outputs of a whole conversation have to fit. @throws Refusal */
export function checkCalls(items: readonly JsonObject[]): void {
  const open = new Set<string>()
  const called = new Set<string>()
  for (const item of items) {
    const id = String(item['call_id'])
    if (item['type'] === 'function_call') {
      open.add(id)
      called.add(id)
    }
    if (item['type'] === 'function_call_output') {
      if (!called.has(id)) throw refuse('strayOutput', 'input', id)
      open.delete(id)
    }
  }
  const [missing] = open
  if (missing !== undefined) throw refuse('missingOutput', 'input', missing)
}

const roles = ['user', 'assistant', 'system', 'developer']

function checkItem(item: unknown, at: string, model: OpenAiModel): void {
  if (!isObject(item)) throw refuse('wrongType', at, 'an object', kindOf(item))
  const type = textOf(item['type']) ?? 'message'
  if (type === 'function_call_output') {
    if (textOf(item['call_id']) === undefined) throw refuse('required', `${at}.call_id`)
    for (const [index, part] of listOf(item['output']).entries()) checkPart(part, `${at}.output[${index}]`, model)
  }
  if (type !== 'message') return
  checkFields(item, ['type', 'role', 'content', 'id', 'status', 'phase'], `${at}.`)
  if (!roles.includes(String(item['role'])))
    throw refuse('invalidValue', `${at}.role`, roles.map((role) => `'${role}'`).join(', '))
  if (typeof item['content'] === 'string') return
  if (!Array.isArray(item['content']))
    throw refuse('wrongType', `${at}.content`, 'one of a string or array', kindOf(item['content']))
  for (const [index, part] of item['content'].entries()) checkPart(part, `${at}.content[${index}]`, model)
}

function checkToolChoice(body: JsonObject): void {
  const choice = body['tool_choice']
  const name = objectOf(choice)['type'] === 'function' ? textOf(objectOf(choice)['name']) : undefined
  const names = listOf(body['tools']).map((tool) => objectOf(tool)['name'])
  if (name !== undefined && !names.includes(name)) throw refuse('toolChoice', 'tool_choice', name)
}

function checkTextFormat(body: JsonObject): void {
  const format = objectOf(objectOf(body['text'])['format'])
  if (format['type'] !== 'json_schema') return
  const name = textOf(format['name'])
  if (name === undefined) throw refuse('required', 'text.format.name')
  if (!isObject(format['schema'])) throw refuse('required', 'text.format.schema')
  if (format['strict'] === true)
    checkStrictSchema(format['schema'], { kind: 'response_format', name, param: 'text.format.schema' })
}
