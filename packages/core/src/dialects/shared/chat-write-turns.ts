import type { Block, Turn } from '../../domain/conversation.ts'
import type { Warning, WarningCode } from '../../domain/warning.ts'
import type { PartBlock } from './chat-write-parts.ts'
import { isPart, partJson } from './chat-write-parts.ts'
import { isResultText, resultText } from './place-marks.ts'
import type { JsonMemberText } from './write-json.ts'
import { jsonArray, jsonObject, jsonText } from './write-json.ts'
import { appendAll } from '../../domain/append.ts'

type ToolResult = Extract<Block, { readonly kind: 'tool-result' }>

/** What writing messages needs beside the turns. */
export interface Writing {
  /** The member that marks a block; `undefined` = the block is not marked. */
  readonly mark: (block: Block) => JsonMemberText | undefined
  readonly warnings: Warning[]
}

/** Members by which a chat client sent thinking: they go back under the name they came by. */
const thinkingForms = ['{"reasoning_content":', '{"reasoning":']

/**
 * Turns as chat messages, in order. Whether content is a string or parts never hangs on a mark, save that a lone
 * string becomes a lone part: a mark that wanders on changes nothing else.
 *
 * @example writeTurns(conversation.turns, { mark: () => undefined, warnings })
 */
export function writeTurns(turns: readonly Turn[], writing: Writing): string[] {
  const messages: string[] = []
  // Every result of a group of calls must come before any other message: images wait for the last one.
  let waiting: Block[] = []
  const flush = (): void => {
    if (waiting.length > 0) messages.push(userMessage(waiting, writing))
    waiting = []
  }
  for (const turn of turns) {
    const results = turn.blocks.filter((block) => block.kind === 'tool-result')
    for (const result of results) {
      messages.push(toolMessage(turn, result, writing))
      appendAll(waiting, movedOut(result, writing))
    }
    const said = turn.blocks.filter((block) => block.kind !== 'tool-result')
    if (said.length === 0 && turn.role === 'tool') continue
    if (said.length === 0 && results.length > 0) continue
    flush()
    messages.push(turn.role === 'assistant' ? assistantMessage(turn, said, writing) : message(turn, said, writing))
  }
  flush()
  return messages
}

function message(turn: Turn, blocks: readonly Block[], writing: Writing): string {
  // A result has a message of its own: what else stands in such a turn was said by the user.
  const role = turn.role === 'tool' ? 'user' : turn.role
  return jsonObject([
    ['role', jsonText(role)],
    ['content', contentJson(partsAmong(blocks, writing), writing) ?? '""'],
    ['name', jsonText(turn.name)],
  ])
}

function userMessage(blocks: readonly Block[], writing: Writing): string {
  return jsonObject([
    ['role', '"user"'],
    ['content', contentJson(partsAmong(blocks, writing), writing) ?? '""'],
  ])
}

function assistantMessage(turn: Turn, blocks: readonly Block[], writing: Writing): string {
  const parts: PartBlock[] = []
  const calls: string[] = []
  const thinking: JsonMemberText[] = []
  for (const block of blocks) {
    if (block.kind === 'text' || block.kind === 'refusal') parts.push(block)
    else if (block.kind === 'tool-call') calls.push(callJson(block))
    else if (isChatThinking(block)) thinking.push(thinkingMember(block.json))
    else notCarried(block, writing)
  }
  const refusal = refusalOf(parts)
  const content = refusal === undefined ? contentJson(parts, writing) : undefined
  return jsonObject([
    ['role', '"assistant"'],
    ...thinking.slice(0, 1),
    ['content', content ?? (refusal === undefined && calls.length === 0 ? '""' : 'null')],
    ['refusal', jsonText(refusal)],
    ['name', jsonText(turn.name)],
    ['tool_calls', calls.length === 0 ? undefined : jsonArray(calls)],
  ])
}

/** A refusal that is all that was said stands beside the content; `undefined` where it is not. */
function refusalOf(parts: readonly PartBlock[]): string | undefined {
  const texts = parts.flatMap((part) => (part.kind === 'refusal' ? [part.text] : []))
  return texts.length > 0 && texts.length === parts.length ? texts.join('') : undefined
}

function toolMessage(turn: Turn, result: ToolResult, writing: Writing): string {
  if (result.isError) {
    warn(writing, 'field_not_carried', `${result.pointer}/is_error`, 'chat has no word for a call that failed')
  }
  const text = { kind: 'text', pointer: result.pointer, text: resultText(result) } as const
  const mark = writing.mark(result)
  return jsonObject([
    ['role', '"tool"'],
    ['tool_call_id', result.callId === '' ? undefined : jsonText(result.callId)],
    ['content', mark === undefined ? jsonText(text.text) : jsonArray([partJson(text, mark)])],
    ['name', jsonText(turn.name)],
  ])
}

/** What a tool message cannot hold, for the user message behind it. */
function movedOut(result: ToolResult, writing: Writing): Block[] {
  const rest = result.blocks.filter((block) => !isResultText(block))
  for (const { pointer } of rest.filter((block) => isPart(block))) {
    warn(writing, 'role_changed', pointer, 'chat takes text only in a tool message: this follows as a user message')
  }
  for (const block of rest.filter((block) => !isPart(block))) notCarried(block, writing)
  return rest.filter((block) => isPart(block))
}

function partsAmong(blocks: readonly Block[], writing: Writing): PartBlock[] {
  for (const block of blocks) if (!isPart(block)) notCarried(block, writing)
  for (const block of blocks) {
    if (block.kind === 'document' && block.source.kind === 'text') {
      warn(writing, 'value_changed', block.pointer, 'a document of text is written as text, without its title')
    }
  }
  return blocks.filter((block) => isPart(block))
}

/** A string where one text is all; `undefined` where there is nothing. */
function contentJson(parts: readonly PartBlock[], writing: Writing): string | undefined {
  const [first] = parts
  if (first === undefined) return undefined
  if (parts.length === 1 && first.kind === 'text' && writing.mark(first) === undefined) return jsonText(first.text)
  return jsonArray(parts.map((part) => partJson(part, writing.mark(part))))
}

function callJson(call: Extract<Block, { readonly kind: 'tool-call' }>): string {
  return jsonObject([
    ['id', jsonText(call.id)],
    ['type', '"function"'],
    [
      'function',
      jsonObject([
        ['name', jsonText(call.name)],
        ['arguments', jsonText(call.arguments)],
      ]),
    ],
  ])
}

type Thinking = Extract<Block, { readonly kind: 'thinking' }>

function isChatThinking(block: Block): block is Thinking {
  return block.kind === 'thinking' && thinkingForms.some((form) => block.json.startsWith(form))
}

function thinkingMember(json: string): JsonMemberText {
  const form = thinkingForms.find((form) => json.startsWith(form)) ?? ''
  return [form.slice(2, -2), json.slice(form.length, -1)]
}

function notCarried(block: Block, writing: Writing): void {
  warn(writing, 'block_not_carried', block.pointer, `chat has no place for this ${block.kind} block`)
}

function warn(writing: Writing, code: WarningCode, where: string, detail: string): void {
  writing.warnings.push({ code, where, detail })
}
