import type { Turn } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import { writeBlock } from './write-blocks.ts'
import type { WrittenBlock } from './written-block.ts'
import { leftOut } from './written-block.ts'
import { appendAll } from '../../../domain/append.ts'

/** One message of a body to be written. */
export interface WrittenMessage {
  readonly role: 'user' | 'assistant'
  blocks: WrittenBlock[]
}

/** `system` and `messages` of a body to be written. */
export interface WrittenTurns {
  readonly system: WrittenBlock[]
  readonly messages: WrittenMessage[]
}

/**
 * Instructions at the front become `system`; later ones user text, since only some models take them where they stand.
 * Turns of one role that follow each other are one message, tool results first: the API looks for them there.
 */
export function writeTurns(turns: readonly Turn[], warnings: Warning[]): WrittenTurns {
  const leading = countLeading(turns)
  const system = turns.slice(0, leading).flatMap((turn) => writeSystem(turn, warnings))
  const written: WrittenTurns = { system, messages: [] }
  for (const turn of turns.slice(leading)) addTurn(written, turn, warnings)
  for (const message of written.messages) message.blocks = resultsFirst(message.blocks)
  return written
}

/** A body needs a message: of nothing but instructions the last one is asked. */
function countLeading(turns: readonly Turn[]): number {
  const first = turns.findIndex((turn) => !isInstruction(turn))
  return first === -1 ? Math.max(0, turns.length - 1) : first
}

function isInstruction({ role }: Turn): boolean {
  return role === 'system' || role === 'developer'
}

function writeSystem(turn: Turn, warnings: Warning[]): WrittenBlock[] {
  warnOfName(turn, warnings)
  return turn.blocks.map((block) => {
    if (block.kind === 'text') return writeBlock(block, warnings)
    const detail = `${block.kind} has no place in instructions`
    warnings.push({ code: 'block_not_carried', where: block.pointer, detail })
    return leftOut(block.pointer, block.mark)
  })
}

function addTurn({ system, messages }: WrittenTurns, turn: Turn, warnings: Warning[]): void {
  warnOfName(turn, warnings)
  if (isInstruction(turn)) {
    const detail = `from ${turn.role} to user: instructions stand at the front only`
    warnings.push({ code: 'role_changed', where: turn.pointer, detail })
  }
  const role = turn.role === 'assistant' ? 'assistant' : 'user'
  const blocks = turn.blocks.map((block) => writeBlock(block, warnings))
  const last = messages.at(-1)
  if (blocks.every(({ json }) => json === undefined)) {
    warnings.push({ code: 'block_not_carried', where: turn.pointer, detail: 'a message of which nothing is left' })
    // Marks that stood there still look for a place.
    appendAll(last?.blocks ?? system, blocks)
  } else if (last?.role === role) appendAll(last.blocks, blocks)
  else messages.push({ role, blocks })
}

function resultsFirst(blocks: readonly WrittenBlock[]): WrittenBlock[] {
  return [...blocks.filter(({ isResult }) => isResult), ...blocks.filter(({ isResult }) => !isResult)]
}

function warnOfName({ name, pointer }: Turn, warnings: Warning[]): void {
  if (name === undefined) return
  warnings.push({ code: 'field_not_carried', where: `${pointer}/name`, detail: 'messages have no name here' })
}
