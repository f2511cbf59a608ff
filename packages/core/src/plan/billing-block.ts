import type { Field } from '../dialects/shared/field.ts'
import type { Conversation } from '../domain/conversation.ts'
import type { Edit } from '../domain/edit.ts'
import type { Prompt, Span } from '../domain/prompt.ts'
import { billingLineIn, billingLineStart } from './billing-line.ts'

const why = 'Claude Code changes this line with every request: no prefix could be shared'

/** The edit that takes the line out of a Messages body; none where there is no such line. */
export function billingBlockEdit(prompt: Prompt, root: Field): Edit[] {
  if (prompt.dialect !== 'anthropic-messages') return []
  const system = root.find('system')
  if (system?.kind === 'string') return lineEdit(prompt.body, system)
  if (system?.kind !== 'array') return []
  const [first, second] = system.elements()
  const text = first?.kind === 'object' ? first.find('text') : undefined
  const line = text?.kind === 'string' ? billingLineIn(prompt.body, text.span) : undefined
  if (first === undefined || text === undefined || line === undefined) return []
  // More text in the same block stays; a block of this line alone goes, with the comma behind it.
  if (line.end < text.span.end - 1) return [removal(line)]
  return [removal({ start: first.span.start, end: second === undefined ? first.span.end : second.span.start })]
}

/** The same conversation without the line, for another dialect. */
export function withoutBillingBlock(conversation: Conversation): Conversation {
  const [first, ...turns] = conversation.turns
  const [block, ...blocks] = first?.blocks ?? []
  if (first === undefined || block?.kind !== 'text' || !block.text.startsWith(billingLineStart)) return conversation
  const at = block.text.indexOf('\n')
  const text = at === -1 ? '' : block.text.slice(at + 1)
  const kept = text === '' ? blocks : [{ ...block, text }, ...blocks]
  return { ...conversation, turns: kept.length === 0 ? turns : [{ ...first, blocks: kept }, ...turns] }
}

function lineEdit(body: Uint8Array, text: Field): Edit[] {
  const line = billingLineIn(body, text.span)
  return line === undefined ? [] : [removal(line)]
}

function removal({ start, end }: Span): Edit {
  return { name: 'strip-billing-block', start, end, replacement: new Uint8Array(0), why }
}
