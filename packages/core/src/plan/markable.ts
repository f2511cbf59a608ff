import type { JsonDocument, JsonNode } from '../json/json-document.ts'

/** Why a block takes no cache mark; worded for people. */
export type MarkObstacle =
  | 'an empty text block'
  | 'a thinking block'
  | 'a tool with defer_loading'
  | 'content of another block'
  | 'a block that is not carried'

/** `unknown`: of a type we do not know. What a client marks there stays; nothing is moved there. */
export type TakesMark = 'mark' | 'unknown' | MarkObstacle

/**
 * Blocks that take a mark: the five that the guide names, and those whose type in the official client has one.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching and
 * https://github.com/anthropics/anthropic-sdk-typescript 1.14.0, 2026-08-19 [V].
 */
export const markableTypes: readonly string[] = [
  'text',
  'tool_result',
  'tool_use',
  'image',
  'document',
  'search_result',
  'server_tool_use',
  'web_search_tool_result',
  'web_fetch_tool_result',
  'code_execution_tool_result',
  'bash_code_execution_tool_result',
  'text_editor_code_execution_tool_result',
  'tool_search_tool_result',
  'container_upload',
]

/** Whether a content block of a Messages body takes a mark. */
export function blockTakesMark(document: JsonDocument, block: JsonNode): TakesMark {
  const type = document.find(block, 'type')
  if (type === undefined || document.kind(type) !== 'string') return 'unknown'
  if (document.isText(type, 'text')) {
    const text = document.find(block, 'text')
    return text !== undefined && document.isText(text, '') ? 'an empty text block' : 'mark'
  }
  if (document.isText(type, 'thinking') || document.isText(type, 'redacted_thinking')) return 'a thinking block'
  return markableTypes.some((name) => document.isText(type, name)) ? 'mark' : 'unknown'
}

/** Whether a tool definition of a Messages body takes a mark. */
export function toolTakesMark(document: JsonDocument, tool: JsonNode): TakesMark {
  const deferred = document.find(tool, 'defer_loading')
  return deferred !== undefined && document.value(deferred) === true ? 'a tool with defer_loading' : 'mark'
}
