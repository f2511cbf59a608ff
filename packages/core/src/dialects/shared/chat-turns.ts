import type { Block, CacheMark, Turn } from '../../domain/conversation.ts'
import { markMembers, markOf } from './cache-marks.ts'
import type { Reading } from './chat-parts.ts'
import { contentBlocks } from './chat-parts.ts'
import type { Field } from './field.ts'
import { leftOver } from './left-over.ts'
import { appendAll } from '../../domain/append.ts'

const roles = ['system', 'developer', 'user', 'assistant', 'tool'] as const

/** Fields in which the thinking of a model comes back; one of them is read, the first that is set. */
const reasoningMembers = ['reasoning_content', 'reasoning'] as const

const common = ['role', 'content', 'name', 'incipit', ...markMembers]
const members = new Set(common)
const membersOfTool = new Set([...common, 'tool_call_id'])
const membersOfAssistant = new Set([...common, 'tool_calls', 'refusal', ...reasoningMembers])
const membersOfCall = new Set(['id', 'type', 'index', 'function'])

/**
 * A chat message as a turn: thinking first, then what was said, then what was called.
 * @throws IncipitError naming the pointer of what is wrong
 */
export function chatTurn(message: Field, reading: Reading): Turn {
  const role = message.object().get('role').oneOf(roles)
  const name = message.find('name')?.string()
  const mark = markOf(message, reading.markTtl)
  const known = role === 'assistant' ? membersOfAssistant : role === 'tool' ? membersOfTool : members
  appendAll(reading.warnings, leftOver(message, known))
  const { pointer } = message
  const blocks = withMark(blocksOf(message, role, reading), mark)
  return { role, pointer, name, blocks }
}

function blocksOf(message: Field, role: Turn['role'], reading: Reading): Block[] {
  if (role === 'tool') {
    const callId = message.find('tool_call_id')?.string() ?? ''
    const blocks = contentBlocks(message.get('content'), reading)
    return [{ kind: 'tool-result', pointer: message.pointer, callId, blocks, isError: false }]
  }
  if (role !== 'assistant') return contentBlocks(message.get('content'), reading)
  const content = message.find('content')
  const blocks = [
    ...thinkingBlocks(message),
    ...(content === undefined ? [] : contentBlocks(content, reading)),
    ...refusalBlocks(message),
    ...callBlocks(message, reading),
  ]
  // An assistant that called tools, refused or only thought may have said nothing.
  if (blocks.length === 0 && content === undefined) message.get('content')
  return blocks
}

/** A mark on the message itself stands at its last block. */
function withMark(blocks: Block[], mark: CacheMark | undefined): Block[] {
  const last = blocks.at(-1)
  if (mark === undefined || last === undefined || last.mark !== undefined) return blocks
  return [...blocks.slice(0, -1), { ...last, mark }]
}

function thinkingBlocks(message: Field): Block[] {
  for (const name of reasoningMembers) {
    const field = message.find(name)
    if (field === undefined) continue
    const json = `{${JSON.stringify(name)}:${field.raw}}`
    return [{ kind: 'thinking', pointer: field.pointer, text: field.string(), signature: undefined, json }]
  }
  return []
}

function refusalBlocks(message: Field): Block[] {
  const refusal = message.find('refusal')
  return refusal === undefined ? [] : [{ kind: 'refusal', pointer: refusal.pointer, text: refusal.string() }]
}

function callBlocks(message: Field, reading: Reading): Block[] {
  return (message.find('tool_calls')?.elements() ?? []).map((call) => callBlock(call, reading))
}

function callBlock(call: Field, reading: Reading): Block {
  const { pointer } = call
  const type = call.object().find('type')?.string() ?? 'function'
  if (type !== 'function') return { kind: 'opaque', pointer, type, json: call.raw }
  appendAll(reading.warnings, leftOver(call, membersOfCall))
  const called = call.get('function').object()
  const argumentsField = called.find('arguments')
  return {
    kind: 'tool-call',
    pointer,
    id: call.find('id')?.string() ?? '',
    name: called.get('name').string(),
    // Some clients send an object where the API has a string: its own bytes serve as well.
    arguments: argumentsField?.kind === 'object' ? argumentsField.raw : (argumentsField?.string() ?? '{}'),
  }
}
