import { IncipitError } from '@incipit/core'
import type { ChatMessage, GenerationRequest, TemplateSwitches, ToolCall, ToolDefinition } from '@incipit/core'
import { chatmlTools } from '../gguf/chatml.ts'
import { compileTemplate } from './chat-template.ts'
import { foldMessages } from './fold-messages.ts'
import type { TemplateTraits } from './template-traits.ts'

/** Variables of a chat template, under the names that chat templates use. */
export function templateInput(options: {
  readonly generation: GenerationRequest
  readonly traits: TemplateTraits
  /** Applied to every text that the client wrote. */
  readonly clean: (text: string) => string
  /** Whether the prompt ends where the model is to go on; true where left out. */
  readonly asks?: boolean
}): Record<string, unknown> {
  const { generation, traits, clean, asks = true } = options
  const { messages, tools, toolChoice } = generation
  const told = tools.length > 0 && !traits.toolDefinitions
  const folded = foldMessages(messages, traits, told ? toolText(tools) : '')
  const input: Record<string, unknown> = {
    ...switchesInput(generation.switches, clean),
    messages: folded.map((message) => messageInput(message, traits, clean)),
    add_generation_prompt: asks,
    tool_choice: toolChoiceInput(toolChoice, clean),
  }
  if (tools.length > 0 && !told) input['tools'] = tools.map((tool) => toolInput(tool, clean))
  return input
}

/**
 * The date that a client gave, as it is to be printed.
 * @example givenDate({ variables: { date_string: '26 Nov 2026' } }) // '26 Nov 2026'
 */
export function givenDate(switches: TemplateSwitches | undefined): string | undefined {
  const date = switches?.variables?.['date_string']
  return typeof date === 'string' ? date : undefined
}

/** Left out what the client did not say: templates ask whether a variable is there. */
function switchesInput(switches: TemplateSwitches = {}, clean: (text: string) => string): Record<string, unknown> {
  const { effort, thinking, variables = {} } = switches
  return {
    ...(effort === undefined ? {} : { reasoning_effort: clean(effort) }),
    // Two names are about for the same switch.
    ...(thinking === undefined ? {} : { enable_thinking: thinking, thinking }),
    ...(cleanJson(variables, clean) as Record<string, unknown>), // an object stays one
  }
}

const toolTemplate = compileTemplate(chatmlTools)

/** Definitions of tools for a template that has no place for them. */
function toolText(tools: readonly ToolDefinition[]): string {
  return toolTemplate.render({ tools: tools.map((tool) => toolInput(tool, (text) => text)) })
}

function messageInput(message: ChatMessage, traits: TemplateTraits, clean: (text: string) => string): unknown {
  const content = clean(message.content)
  const input: Record<string, unknown> = {
    role: message.role,
    content: traits.typedContent ? [{ type: 'text', text: content }] : content,
  }
  // The name that templates of models that think look for.
  if (message.reasoning !== undefined) input['reasoning_content'] = clean(message.reasoning)
  if (message.name !== undefined) input['name'] = clean(message.name)
  if (message.toolCallId !== undefined) input['tool_call_id'] = clean(message.toolCallId)
  if (message.toolCalls !== undefined && message.toolCalls.length > 0) {
    input['tool_calls'] = message.toolCalls.map((call) => callInput(call, traits, clean))
  }
  return input
}

function callInput(call: ToolCall, traits: TemplateTraits, clean: (text: string) => string): unknown {
  return {
    id: clean(call.id),
    type: 'function',
    function: { name: clean(call.name), arguments: argumentsInput(call.arguments, traits, clean) },
  }
}

function argumentsInput(text: string, traits: TemplateTraits, clean: (text: string) => string): unknown {
  if (traits.argumentText) return clean(text)
  try {
    return cleanJson(JSON.parse(text), clean)
  } catch {
    // Models write arguments that are not JSON; the conversation still goes on.
    return clean(text)
  }
}

function toolInput(tool: ToolDefinition, clean: (text: string) => string): unknown {
  return {
    type: 'function',
    function: {
      name: clean(tool.name),
      ...(tool.description === undefined ? {} : { description: clean(tool.description) }),
      parameters: cleanJson(parseSchema(tool), clean),
    },
  }
}

function parseSchema(tool: ToolDefinition): unknown {
  try {
    return JSON.parse(tool.parametersJson)
  } catch (cause) {
    throw new IncipitError('invalid_request', 'the parameters of a tool are not valid JSON', { param: 'tools', cause })
  }
}

function cleanJson(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, clean))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), cleanJson(item, clean)]))
}

function toolChoiceInput(choice: GenerationRequest['toolChoice'], clean: (text: string) => string): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: clean(choice.name) } }
}
