import type { AnswerFormat, ConversationSettings, Tool } from '../../domain/conversation.ts'
import type { Warning } from '../../domain/warning.ts'
import type { JsonMemberText } from './write-json.ts'
import { jsonArray, jsonObject, jsonText } from './write-json.ts'

/** What writing tools needs beside them. */
export interface ToolWriting {
  /** The member that marks a tool; `undefined` = the tool is not marked. */
  readonly mark: (tool: Tool) => JsonMemberText | undefined
  readonly warnings: Warning[]
}

/**
 * The members `tools`, `tool_choice` and `parallel_tool_calls`. Without a tool the other two would be refused.
 * @example writeTools(conversation.tools, settings, { mark: () => undefined, warnings })
 */
export function writeTools(
  tools: readonly Tool[],
  settings: Pick<ConversationSettings, 'toolChoice' | 'parallelToolCalls'>,
  { mark, warnings }: ToolWriting,
): JsonMemberText[] {
  const written: string[] = []
  for (const tool of tools) {
    if (tool.kind === 'function') written.push(functionJson(tool, mark(tool), warnings))
    else warnings.push({ code: 'tool_not_carried', where: tool.pointer, detail: 'chat takes function tools only' })
  }
  const { toolChoice, parallelToolCalls } = settings
  if (written.length > 0) {
    return [
      ['tools', jsonArray(written)],
      ['tool_choice', choiceJson(toolChoice)],
      ['parallel_tool_calls', jsonText(parallelToolCalls)],
    ]
  }
  const idle: [string, unknown][] = [
    ['tool_choice', toolChoice],
    ['parallel_tool_calls', parallelToolCalls],
  ]
  for (const [where, value] of idle) {
    if (value !== undefined) warnings.push({ code: 'field_not_carried', where, detail: 'there is no tool to choose' })
  }
  return []
}

/**
 * `response_format`, the schema as the client wrote it.
 * @example formatJson(settings.format)
 */
export function formatJson(format: AnswerFormat | undefined): string | undefined {
  if (format === undefined) return undefined
  if (format.kind === 'text') return '{"type":"text"}'
  if (format.kind === 'json') return '{"type":"json_object"}'
  const schema = jsonObject([
    // The API takes no schema without a name.
    ['name', jsonText(format.name ?? 'answer')],
    ['description', jsonText(format.description)],
    ['strict', jsonText(format.strict)],
    ['schema', format.schemaJson],
  ])
  return jsonObject([
    ['type', '"json_schema"'],
    ['json_schema', schema],
  ])
}

function functionJson(
  tool: Extract<Tool, { kind: 'function' }>,
  mark: JsonMemberText | undefined,
  warnings: Warning[],
): string {
  if (tool.deferLoading) {
    const where = `${tool.pointer}/defer_loading`
    warnings.push({ code: 'field_not_carried', where, detail: 'chat has no tools that are loaded later' })
  }
  const definition = jsonObject([
    ['name', jsonText(tool.name)],
    ['description', jsonText(tool.description)],
    ['parameters', tool.schemaJson],
    ['strict', jsonText(tool.strict)],
  ])
  return jsonObject([['type', '"function"'], ['function', definition], ...(mark === undefined ? [] : [mark])])
}

function choiceJson(choice: ConversationSettings['toolChoice']): string | undefined {
  if (choice === undefined || typeof choice === 'string') return jsonText(choice)
  return jsonObject([
    ['type', '"function"'],
    ['function', jsonObject([['name', jsonText(choice.name)]])],
  ])
}
