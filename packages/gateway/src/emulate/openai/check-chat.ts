import type { JsonObject } from '../json.ts'
import { given, isObject, kindOf, listOf, objectOf, textOf } from '../json.ts'
import { checkCacheFields, checkFields, checkPart, checkStream, checkTools, modelOf } from './check-common.ts'
import { checkStrictSchema } from './check-strict-schema.ts'
import type { OpenAiModel } from './models.ts'
import { chatFields, messageFields } from './rules.ts'
import { refuse } from './wording.ts'

/** Refuses what Chat Completions refuses, and finds the model. @throws Refusal 400 and 404 */
export function checkChat(body: JsonObject): OpenAiModel {
  checkFields(body, chatFields.value)
  const model = modelOf(body)
  checkMessages(body['messages'], model)
  if (given(body['max_tokens']) && model.reasoning) throw refuse('maxTokens', 'max_tokens')
  checkCacheFields(body, model, 'chat')
  checkStream(body)
  checkTools(body)
  if (model.toolsInResponsesOnly && listOf(body['tools']).length > 0) throw refuse('toolsInResponses', 'tools')
  checkChoices(body['n'])
  checkToolChoice(body)
  checkResponseFormat(body['response_format'])
  return model
}

const roles = ['developer', 'system', 'user', 'assistant', 'tool', 'function']

function checkMessages(messages: unknown, model: OpenAiModel): void {
  if (!given(messages)) throw refuse('required', 'messages')
  if (!Array.isArray(messages)) throw refuse('wrongType', 'messages', 'an array of objects', kindOf(messages))
  if (messages.length === 0) throw refuse('emptyArray', 'messages')
  for (const [index, message] of messages.entries()) checkMessage(message, `messages[${index}]`, model)
  checkToolMessages(messages.map(objectOf))
}

function checkMessage(message: unknown, at: string, model: OpenAiModel): void {
  if (!isObject(message)) throw refuse('wrongType', at, 'an object', kindOf(message))
  checkFields(message, messageFields.value, `${at}.`)
  if (!given(message['role'])) throw refuse('required', `${at}.role`)
  if (!roles.includes(String(message['role'])))
    throw refuse('invalidValue', `${at}.role`, roles.map((role) => `'${role}'`).join(', '))
  const { content } = message
  if (Array.isArray(content)) {
    for (const [index, part] of content.entries()) checkPart(part, `${at}.content[${index}]`, model)
  } else if (given(content) ? typeof content !== 'string' : message['role'] !== 'assistant') {
    throw refuse('wrongType', `${at}.content`, 'one of a string or array of objects', kindOf(content))
  }
}

function checkChoices(n: unknown): void {
  if (!given(n)) return
  if (!Number.isInteger(n)) throw refuse('wrongType', 'n', 'an integer', kindOf(n))
  if ((n as number) < 1 || (n as number) > 128) throw refuse('invalidValue', 'n', '1 to 128')
}

function checkToolMessages(messages: readonly JsonObject[]): void {
  let open: string[] = []
  for (const [index, message] of messages.entries()) {
    if (message['role'] === 'tool') {
      const id = textOf(message['tool_call_id'])
      if (id === undefined) throw refuse('required', `messages[${index}].tool_call_id`)
      if (!open.includes(id)) throw refuse('strayTool', `messages.[${index}].role`)
      open = open.filter((other) => other !== id)
      continue
    }
    if (open.length > 0) throw refuse('missingResults', `messages.[${index}].role`, open.join(', '))
    open = listOf(message['tool_calls']).map((call) => String(objectOf(call)['id']))
  }
  if (open.length > 0) throw refuse('missingResults', `messages.[${messages.length}].role`, open.join(', '))
}

function checkToolChoice(body: JsonObject): void {
  const choice = body['tool_choice']
  const name = textOf(objectOf(objectOf(choice)['function'])['name'])
  const names = listOf(body['tools']).map((tool) => objectOf(objectOf(tool)['function'])['name'])
  if (name !== undefined && !names.includes(name)) throw refuse('toolChoice', 'tool_choice', name)
  if (typeof choice === 'string' && !['none', 'auto', 'required'].includes(choice)) {
    throw refuse('invalidValue', 'tool_choice', "'none', 'auto' and 'required'")
  }
}

function checkResponseFormat(format: unknown): void {
  if (!given(format)) return
  const type = objectOf(format)['type']
  if (!['text', 'json_object', 'json_schema'].includes(String(type))) {
    throw refuse('invalidValue', 'response_format.type', "'text', 'json_object' and 'json_schema'")
  }
  if (type !== 'json_schema') return
  const named = objectOf(objectOf(format)['json_schema'])
  const name = textOf(named['name'])
  if (name === undefined) throw refuse('required', 'response_format.json_schema.name')
  if (named['strict'] === true)
    checkStrictSchema(named['schema'], { kind: 'response_format', name, param: 'response_format' })
}
