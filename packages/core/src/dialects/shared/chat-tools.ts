import type { GenerationRequest, ToolDefinition } from '../../domain/generation.ts'
import type { Field } from './field.ts'

/** What a tool without parameters takes. */
const noParameters = '{"type":"object","properties":{}}'

/**
 * Tool definitions as the client wrote them. `bare` also takes `{name, description, parameters}`
 * without the wrapping `{type: "function", function: ...}`.
 */
export function toolDefinitions(root: Field, { bare }: { readonly bare: boolean }): ToolDefinition[] {
  return (root.find('tools')?.elements() ?? []).map((tool) => {
    const isBare = bare && tool.object().find('function') === undefined
    const type = tool.object().find('type')
    if (!isBare && type !== undefined && type.string() !== 'function')
      type.unsupported('only function tools are supported')
    const definition = isBare ? tool : tool.get('function').object()
    const description = definition.find('description')?.string()
    return {
      name: definition.get('name').string(),
      ...(description === undefined ? {} : { description }),
      parametersJson: definition.find('parameters')?.object().raw ?? noParameters,
      json: tool.raw,
    }
  })
}

/** `auto` where the client says nothing. */
export function toolChoice(root: Field): GenerationRequest['toolChoice'] {
  const choice = root.find('tool_choice')
  if (choice === undefined) return 'auto'
  if (choice.kind === 'string') return choice.oneOf(['auto', 'none', 'required'])
  if (choice.kind !== 'object') return choice.fail('auto, none, required or an object')
  const type = choice.get('type')
  if (type.string() !== 'function') return type.unsupported('only the choice of one function is supported')
  return { name: choice.get('function').object().get('name').string() }
}
