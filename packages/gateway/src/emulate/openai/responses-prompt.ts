import type { ChatPrompt } from '../chat/chat-prompt.ts'
import { ChatPromptBuilder } from '../chat/chat-prompt.ts'
import type { AnswerQuestion } from '../decide-answer.ts'
import type { JsonObject } from '../json.ts'
import { given, listOf, numberOf, objectOf, textOf } from '../json.ts'
import { promptOptions } from './chat.ts'

/** The items of an `input`: a string is one user message. */
export function inputItems(input: unknown): readonly JsonObject[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : listOf(input).map(objectOf)
}

/** The prompt of a Responses body; `items` is the whole conversation, earlier responses included. */
export function responsesPrompt(body: JsonObject, items: readonly JsonObject[]): ChatPrompt {
  const builder = new ChatPromptBuilder(promptOptions)
  builder.tools(body['tools'])
  if (body['parallel_tool_calls'] === false) builder.preamble('parallel_tool_calls', false)
  const format = objectOf(objectOf(body['text'])['format'])
  if (format['type'] !== undefined && format['type'] !== 'text') builder.preamble('format', format)
  if (typeof body['instructions'] === 'string') {
    builder.begin('developer')
    builder.content(body['instructions'])
    builder.end('developer')
  }
  for (const item of items) addItem(builder, item)
  return builder.build()
}

/** What a Responses body asks for. */
export function responsesQuestion(
  body: JsonObject,
  items: readonly JsonObject[],
  request: { readonly seed: string; readonly answerBytes: number | undefined },
): AnswerQuestion {
  const last = objectOf(items.at(-1))
  const format = objectOf(objectOf(body['text'])['format'])
  return {
    ...request,
    tools: listOf(body['tools'])
      .map(objectOf)
      .filter((tool) => tool['type'] === 'function')
      .map((tool) => ({ name: String(tool['name']), schema: tool['parameters'] ?? { type: 'object' } })),
    toolChoice: toolChoiceOf(body['tool_choice']),
    afterToolResult: last['role'] !== 'user',
    schema:
      format['type'] === 'json_schema'
        ? format['schema']
        : format['type'] === 'json_object'
          ? { type: 'object' }
          : undefined,
    maxTokens: numberOf(body['max_output_tokens']),
    stop: [],
  }
}

function addItem(builder: ChatPromptBuilder, item: JsonObject): void {
  const type = textOf(item['type']) ?? 'message'
  const role = type === 'function_call_output' ? 'tool' : type === 'message' ? String(item['role']) : 'assistant'
  builder.begin(role)
  switch (type) {
    case 'message':
      builder.content(item['content'])
      break
    case 'function_call':
      builder.text('tool_call', `${String(item['call_id'])} ${String(item['name'])} ${String(item['arguments'])}`)
      break
    case 'function_call_output':
      builder.text('tool_call_id', String(item['call_id']))
      builder.content(item['output'])
      break
    default:
      builder.text(type, JSON.stringify(given(item['encrypted_content']) ? item['encrypted_content'] : item))
  }
  builder.end(role)
}

function toolChoiceOf(choice: unknown): AnswerQuestion['toolChoice'] {
  if (choice === 'none') return 'none'
  if (choice === 'required') return 'any'
  const { type, name, mode } = objectOf(choice)
  if (type === 'function') return { name: String(name) }
  return type === 'allowed_tools' && mode === 'required' ? 'any' : 'auto'
}
