import type { Block, Turn } from '../../../domain/conversation.ts'
import type { Field } from '../field.ts'
import { appendAll } from '../../../domain/append.ts'
import { itemParts, itemRole, itemType } from './input-items.ts'
import type { ReadContext } from './read-parts.ts'
import { rawUnmarked, readParts, warnOfMembers } from './read-parts.ts'

const messageRoles = ['user', 'assistant', 'system', 'developer'] as const

/**
 * The turns that a body's instructions and input make. Items of the model that follow one another (its
 * reasoning, its words, its calls) are one turn.
 *
 * @throws IncipitError naming the pointer of what is wrong
 */
export function readTurns(root: Field, context: ReadContext): Turn[] {
  const turns: Turn[] = []
  const instructions = root.find('instructions')
  if (instructions !== undefined) turns.push(textTurn(instructions, 'system'))
  const input = root.get('input')
  if (input.kind === 'string') return [...turns, textTurn(input, 'user')]
  /** What the model's turn, which is the last one, has grown to. */
  let spoken: Block[] | undefined
  for (const item of input.elements()) {
    const turn = readItem(item, context)
    if (spoken !== undefined && turn.role === 'assistant') {
      appendAll(spoken, turn.blocks)
      continue
    }
    spoken = turn.role === 'assistant' ? [...turn.blocks] : undefined
    turns.push(spoken === undefined ? turn : { ...turn, blocks: spoken })
  }
  return turns
}

function textTurn(field: Field, role: Turn['role']): Turn {
  const { pointer } = field
  return { role, pointer, name: undefined, blocks: [{ kind: 'text', pointer, text: field.string() }] }
}

function readItem(item: Field, context: ReadContext): Turn {
  const type = itemType(item)
  const turn = { pointer: item.pointer, name: undefined }
  switch (type) {
    case 'message': {
      warnOfMembers(item, ['phase'], context)
      return { ...turn, role: item.get('role').oneOf(messageRoles), blocks: readParts(item.get('content'), context) }
    }
    case 'function_call':
      return { ...turn, role: 'assistant', blocks: [readCall(item, context)] }
    case 'function_call_output':
      return { ...turn, role: 'tool', blocks: [readOutput(item, context)] }
    case 'reasoning':
      return { ...turn, role: 'assistant', blocks: [readReasoning(item)] }
    default:
      return { ...turn, role: opaqueRole(itemRole(item, type)), blocks: [readOpaque(item, type, context)] }
  }
}

function readCall(item: Field, context: ReadContext): Block {
  warnOfMembers(item, ['namespace', 'caller'], context)
  const given = item.get('arguments')
  return {
    kind: 'tool-call',
    pointer: item.pointer,
    id: item.get('call_id').string(),
    name: item.get('name').string(),
    // Some clients send an object where the API has a string: its own bytes serve as well.
    arguments: given.kind === 'object' ? given.raw : given.string(),
  }
}

function readOutput(item: Field, context: ReadContext): Block {
  warnOfMembers(item, ['caller'], context)
  return {
    kind: 'tool-result',
    pointer: item.pointer,
    callId: item.get('call_id').string(),
    blocks: readParts(item.get('output'), context),
    isError: false,
  }
}

/** The text is the summary, where there is one; open models send their thoughts themselves. */
function readReasoning(item: Field): Block {
  const summary = textsOf(item.find('summary'))
  const texts = summary.length > 0 ? summary : textsOf(item.find('content'))
  return {
    kind: 'thinking',
    pointer: item.pointer,
    text: texts.join('\n\n'),
    signature: item.find('encrypted_content')?.string(),
    json: rawUnmarked(item),
  }
}

function textsOf(list: Field | undefined): string[] {
  return (list?.elements() ?? []).map((part) => part.object().get('text').string())
}

function readOpaque(item: Field, type: string, context: ReadContext): Block {
  const parts = itemParts(item)
  const marked = parts.some((part) => part.kind === 'object' && part.find('prompt_cache_breakpoint') !== undefined)
  return {
    kind: 'opaque',
    pointer: item.pointer,
    type,
    json: rawUnmarked(item, parts),
    ...(marked ? { mark: context.mark } : {}),
  }
}

/** Roles outside the four of messages stand on items that only this API knows; the model made those. */
function opaqueRole(role: string): Turn['role'] {
  return messageRoles.find((known) => known === role) ?? 'assistant'
}
