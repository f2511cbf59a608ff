import type { Tool } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import type { Field } from '../field.ts'
import { unrendered } from './block-details.ts'
import { rawWithoutMarks, readMark, warnOfOthers } from './read-parts.ts'

const known = ['type', 'name', 'description', 'input_schema', 'strict', 'defer_loading', ...unrendered]

/** Tools of a Messages body in order; schemas and hosted tools keep the client's bytes. */
export function readTools(root: Field, warnings: Warning[]): Tool[] {
  return (root.find('tools')?.elements() ?? []).map((tool) => {
    const type = tool.object().find('type')?.string() ?? 'custom'
    const { pointer } = tool
    const mark = readMark(tool)
    if (type !== 'custom') return { kind: 'hosted', pointer, type, json: rawWithoutMarks(tool), mark }
    warnOfOthers(tool, known, warnings)
    return {
      kind: 'function',
      pointer,
      name: tool.get('name').string(),
      description: tool.find('description')?.string(),
      schemaJson: tool.find('input_schema')?.object().raw,
      strict: tool.find('strict')?.boolean(),
      deferLoading: tool.find('defer_loading')?.boolean() ?? false,
      mark,
    }
  })
}
