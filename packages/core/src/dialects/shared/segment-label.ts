import type { SegmentKind } from '../../domain/prompt.ts'
import type { Field } from './field.ts'

const labels = [
  'system_instructions',
  'policy_preamble',
  'knowledge_context',
  'conversation_history',
  'user_message',
] as const satisfies readonly SegmentKind[]

/** What a client says a message, item or part is, by the gateway's own field `incipit.segment`. */
export function segmentLabel(field: Field): SegmentKind | undefined {
  return field.kind === 'object' ? field.find('incipit')?.object().find('segment')?.oneOf(labels) : undefined
}
