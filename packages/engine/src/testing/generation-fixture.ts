import type { ChatMessage, GenerationRequest, ToolDefinition } from '@incipit/core'
import { greedySampling } from '@incipit/core'

/** A request of these messages, greedy, without a limit of its own. */
export function aGeneration(
  messages: readonly ChatMessage[],
  tools: readonly ToolDefinition[] = [],
): GenerationRequest {
  return {
    messages,
    tools,
    toolChoice: 'auto',
    parallelToolCalls: true,
    format: undefined,
    sampling: greedySampling,
    maxTokens: undefined,
    stop: [],
    topLogprobs: undefined,
  }
}

export function aTool(name: string, description = 'Looks something up'): ToolDefinition {
  const parametersJson = '{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"number"}}}'
  return { name, description, parametersJson }
}
