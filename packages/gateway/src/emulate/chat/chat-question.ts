import type { AnswerQuestion } from '../decide-answer.ts'
import type { JsonObject } from '../json.ts'
import { listOf, numberOf, objectOf, textOf } from '../json.ts'

/** What a Chat Completions body asks for. */
export function chatQuestion(body: JsonObject, seed: string, answerBytes: number | undefined): AnswerQuestion {
  const { stop } = body
  return {
    seed,
    tools: listOf(body['tools'])
      .map((tool) => objectOf(objectOf(tool)['function'] ?? tool))
      .filter((tool) => typeof tool['name'] === 'string')
      .map((tool) => ({ name: String(tool['name']), schema: tool['parameters'] ?? { type: 'object' } })),
    toolChoice: toolChoiceOf(body['tool_choice']),
    afterToolResult: objectOf(listOf(body['messages']).at(-1))['role'] !== 'user',
    schema: schemaOf(objectOf(body['response_format'])),
    maxTokens: numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']),
    stop: (typeof stop === 'string' ? [stop] : listOf(stop)).filter((sequence) => typeof sequence === 'string'),
    answerBytes,
  }
}

function toolChoiceOf(choice: unknown): AnswerQuestion['toolChoice'] {
  if (choice === 'none') return 'none'
  if (choice === 'required' || choice === 'any') return 'any'
  const named = textOf(objectOf(objectOf(choice)['function'])['name'])
  if (named !== undefined) return { name: named }
  const allowed = objectOf(objectOf(choice)['allowed_tools'])
  return allowed['mode'] === 'required' ? 'any' : 'auto'
}

/** Workers AI gives the schema itself as `json_schema`, OpenAI one level deeper. */
function schemaOf(format: JsonObject): unknown {
  if (format['type'] === 'json_object') return format['schema'] ?? { type: 'object' }
  if (format['type'] !== 'json_schema') return undefined
  const outer = objectOf(format['json_schema'])
  return outer['schema'] ?? outer
}
