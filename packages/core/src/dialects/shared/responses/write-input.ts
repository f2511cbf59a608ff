import type { Block, Turn } from '../../../domain/conversation.ts'
import { jsonArray, jsonObject, jsonText } from '../write-json.ts'
import type { WriteContext } from './write-context.ts'
import { warn } from './write-context.ts'
import { writeContent, writeOutputPart } from './write-parts.ts'
import { appendAll } from '../../../domain/append.ts'

/** Pointers of whole items, as against parts of one. */
const ownItem = /^\/input\/\d+$/

/** The items of `input`, in the order of the turns; what cannot be said leaves a warning. */
export function writeInput(turns: readonly Turn[], context: WriteContext): string {
  return jsonArray(turns.flatMap((turn) => writeTurn(turn, context)))
}

function writeTurn(turn: Turn, context: WriteContext): string[] {
  if (turn.name !== undefined) warn(context, 'field_not_carried', `${turn.pointer}/name`, 'messages have no name here')
  const items: string[] = []
  let spoken: Block[] = []
  const flush = (): void => {
    if (spoken.length > 0) appendAll(items, writeMessage(turn, spoken, context))
    spoken = []
  }
  for (const block of turn.blocks) {
    if (!isItem(block, context)) {
      spoken.push(block)
      continue
    }
    flush()
    const item = writeItem(block, context)
    if (item !== undefined) items.push(item)
  }
  flush()
  return items
}

/** What stands beside messages, not inside them. */
function isItem(block: Block, context: WriteContext): boolean {
  switch (block.kind) {
    case 'thinking':
    case 'redacted-thinking':
    case 'tool-call':
    case 'tool-result':
      return true
    case 'opaque':
      return context.own && ownItem.test(block.pointer)
    default:
      return false
  }
}

function writeMessage(turn: Turn, blocks: readonly Block[], context: WriteContext): string[] {
  const role = turn.role === 'tool' ? 'user' : turn.role
  if (role !== turn.role) warn(context, 'role_changed', turn.pointer, 'a tool says results only here')
  const content = role === 'assistant' ? modelContent(blocks, context) : writeContent(blocks, context)
  if (content === undefined) return []
  const message = jsonObject([
    ['type', '"message"'],
    ['role', jsonText(role)],
    ['content', content],
  ])
  return [message]
}

function modelContent(blocks: readonly Block[], context: WriteContext): string | undefined {
  const [only] = blocks
  if (only?.kind === 'text' && blocks.length === 1) return jsonText(only.text)
  const parts = blocks.flatMap((block) => writeOutputPart(block, context) ?? [])
  return parts.length === 0 ? undefined : jsonArray(parts)
}

function writeItem(block: Block, context: WriteContext): string | undefined {
  switch (block.kind) {
    case 'tool-call':
      return jsonObject([
        ['type', '"function_call"'],
        ['call_id', jsonText(block.id)],
        ['name', jsonText(block.name)],
        ['arguments', jsonText(block.arguments)],
      ])
    case 'tool-result':
      return writeResult(block, context)
    case 'thinking':
    case 'opaque':
      if (context.own) return block.json
      break
    default:
      break
  }
  warn(context, 'block_not_carried', block.pointer, `a ${block.kind} block of another dialect`)
  return undefined
}

function writeResult(block: Extract<Block, { kind: 'tool-result' }>, context: WriteContext): string {
  if (block.isError) {
    const detail = 'a tool result cannot be called an error here; its text stands'
    warn(context, 'field_not_carried', `${block.pointer}/is_error`, detail)
  }
  return jsonObject([
    ['type', '"function_call_output"'],
    ['call_id', jsonText(block.callId)],
    // A tool may answer with nothing; the API wants to be told so.
    ['output', writeContent(block.blocks, context) ?? '""'],
  ])
}
