import type { Tool } from '../../../domain/conversation.ts'
import type { Warning } from '../../../domain/warning.ts'
import { jsonObject, jsonText } from '../write-json.ts'
import type { WrittenBlock } from './written-block.ts'
import { leftOut, rawBlock } from './written-block.ts'

/** What a tool without parameters takes. */
const noParameters = '{"type":"object","properties":{}}'

/** Tools that this API runs itself are named for the day they came out, or are a server's whole set. */
const hostedType = /^(?:\w+_\d{8}|mcp_toolset)$/

/** Tool definitions in the client's order, schemas in the client's bytes (D-4). */
export function writeTools(tools: readonly Tool[], warnings: Warning[]): WrittenBlock[] {
  return tools.map((tool) => {
    const { pointer: where, mark } = tool
    if (tool.kind === 'hosted') {
      if (hostedType.test(tool.type)) return { json: rawBlock(tool.json), where, takes: 'mark', mark, isResult: false }
      warnings.push({ code: 'tool_not_carried', where, detail: 'a tool of its type has no counterpart here' })
      return leftOut(where, mark)
    }
    const json = jsonObject([
      ['name', jsonText(tool.name)],
      ['description', jsonText(tool.description)],
      ['input_schema', tool.schemaJson ?? noParameters],
      ['strict', tool.strict === true ? 'true' : undefined],
      ['defer_loading', tool.deferLoading ? 'true' : undefined],
    ])
    return { json, where, takes: tool.deferLoading ? 'a tool with defer_loading' : 'mark', mark, isResult: false }
  })
}
