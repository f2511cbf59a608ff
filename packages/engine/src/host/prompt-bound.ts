import type { GenerationRequest } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { Model } from '../native/contract.ts'

/** What a prompt can be at most, known before anything of it is rendered or tokenised. */
export interface PromptBound {
  readonly contextTokens: number
  /** Bytes of the longest token: no text of the context is longer than all its tokens. */
  readonly longestTokenBytes: number
}

/** @example promptBound(model, 4_096).longestTokenBytes // 13 */
export function promptBound(model: Model, contextTokens: number): PromptBound {
  // One byte that the vocabulary has no token for may stand for a whole character.
  let longest = 4
  for (let token = 0; token < model.facts.vocabularySize; token++) {
    // A token's spelling is never shorter than its bytes, and cheaper to ask for.
    if (Buffer.byteLength(model.tokenText(token)) <= longest) continue
    longest = Math.max(longest, model.tokenBytes(token).length)
  }
  return { contextTokens, longestTokenBytes: longest }
}

/**
 * Refuses what cannot fit, at the price of counting bytes: rendering and tokenising megabytes would
 * hold every other request up for seconds. All that the client wrote counts, also what a template would
 * leave out.
 *
 * @throws IncipitError `context_overflow` with the numbers
 * @example checkPromptBound(generation, promptBound(model, 4_096))
 */
export function checkPromptBound(generation: GenerationRequest, bound: PromptBound): void {
  const { contextTokens, longestTokenBytes } = bound
  const { messages, tools } = generation
  if (messages.length >= contextTokens) {
    const message = `prompt has ${messages.length} messages, ${contextTokens - 1} allowed`
    throw new IncipitError('context_overflow', message, { param: 'messages' })
  }
  const allowed = contextTokens * longestTokenBytes
  let seen = 0
  for (const { content, reasoning = '', name = '', toolCallId = '', toolCalls = [] } of messages) {
    seen += bytesOf(content, reasoning, name, toolCallId)
    for (const call of toolCalls) seen += bytesOf(call.id, call.name, call.arguments)
  }
  for (const tool of tools) seen += bytesOf(tool.name, tool.description ?? '', tool.parametersJson)
  if (seen <= allowed) return
  const message = `prompt is ${seen} bytes of text, ${allowed} allowed by a context of ${contextTokens} tokens`
  throw new IncipitError('context_overflow', message, { param: 'messages' })
}

function bytesOf(...texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
