import type { ChatMessage, GenerationRequest, TemplateSwitches, ToolDefinition } from '@incipit/core'
import { greedySampling } from '@incipit/core'

/** Small conversations that templates are measured with. */
export const probeMessages: { readonly system: ChatMessage; readonly asked: readonly ChatMessage[] } = {
  system: { role: 'system', content: 'You keep the register of a small library.' },
  asked: [
    { role: 'user', content: 'Which book came in first?' },
    { role: 'assistant', content: 'The one on the table.' },
    { role: 'user', content: 'And which one last?' },
  ],
}

export const probeTools: readonly ToolDefinition[] = ['find', 'lend'].map((name) => ({
  name,
  description: `To ${name} a book`,
  parametersJson: '{"type":"object","properties":{"title":{"type":"string"}}}',
}))

/** A request of these messages and nothing else. */
export function generationOf(parts: {
  readonly messages: readonly ChatMessage[]
  readonly tools?: readonly ToolDefinition[]
  readonly switches?: TemplateSwitches
}): GenerationRequest {
  return {
    messages: parts.messages,
    tools: parts.tools ?? [],
    switches: parts.switches,
    toolChoice: 'auto',
    parallelToolCalls: true,
    format: undefined,
    sampling: greedySampling,
    maxTokens: undefined,
    stop: [],
    topLogprobs: undefined,
  }
}
