import { IncipitError } from '@incipit/core'
import type { ChatMessage, GenerationRequest, ToolCall, ToolDefinition } from '@incipit/core'

/** What templates differ in, seen in their source. */
export interface TemplateTraits {
  /** Knows the role `developer`; others get `system`. */
  readonly developerRole: boolean
  /** Takes tool-call arguments as text; others want them parsed. */
  readonly argumentText: boolean
}

/** @example templateTraits("{% if message.role == 'developer' %}").developerRole // true */
export function templateTraits(source: string): TemplateTraits {
  return {
    developerRole: /['"]developer['"]/.test(source),
    argumentText: /arguments is (?:not )?(?:string|mapping)/.test(source),
  }
}

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
  const input: Record<string, unknown> = {
    messages: generation.messages.map((message) => messageInput(message, traits, clean)),
    add_generation_prompt: asks,
    tool_choice: toolChoice(generation.toolChoice, clean),
  }
  if (generation.tools.length > 0) input['tools'] = generation.tools.map((tool) => toolInput(tool, clean))
  return input
}

function messageInput(message: ChatMessage, traits: TemplateTraits, clean: (text: string) => string): unknown {
  const input: Record<string, unknown> = {
    role: message.role === 'developer' && !traits.developerRole ? 'system' : message.role,
    content: clean(message.content),
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

function toolChoice(choice: GenerationRequest['toolChoice'], clean: (text: string) => string): unknown {
  return typeof choice === 'string' ? choice : { type: 'function', function: { name: clean(choice.name) } }
}
