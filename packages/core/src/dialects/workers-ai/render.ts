import type { Answer, AnswerBlock } from '../../domain/answer.ts'
import { chatUsage } from '../shared/token-counts.ts'
import { jsonArray, jsonObject, jsonText } from '../shared/write-json.ts'

/** A whole answer in the envelope of the API. A refusal is text there; signatures have no place. */
export function answer({ blocks, usage }: Answer): string {
  const texts = blocks.flatMap((block) => (block.kind === 'text' || block.kind === 'refusal' ? [block.text] : []))
  const thinking = blocks.flatMap((block) => (block.kind === 'thinking' ? [block.text] : []))
  const calls = blocks.flatMap((block) => (block.kind === 'tool-call' ? [callJson(block)] : []))
  const result = jsonObject([
    ['response', jsonText(texts.join(''))],
    ['reasoning_content', thinking.length === 0 ? undefined : jsonText(thinking.join(''))],
    ['tool_calls', calls.length === 0 ? undefined : jsonArray(calls)],
    ['usage', usage && JSON.stringify(chatUsage(usage))],
  ])
  return jsonObject([
    ['result', result],
    ['success', 'true'],
    ['errors', '[]'],
    ['messages', '[]'],
  ])
}

/** A tool call as the API has it: arguments are an object, in the bytes that the model wrote where those are one. */
export function callJson(call: Omit<Extract<AnswerBlock, { kind: 'tool-call' }>, 'kind'>): string {
  return jsonObject([
    ['id', jsonText(call.id)],
    ['name', jsonText(call.name)],
    ['arguments', isJsonObject(call.arguments) ? call.arguments : jsonText(call.arguments)],
  ])
}

function isJsonObject(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
