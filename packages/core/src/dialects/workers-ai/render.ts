import type { GenerationResult } from '../../domain/generation.ts'
import { chatUsage } from '../shared/token-counts.ts'
import type { WireResult } from './wire.ts'

/** A whole answer in the envelope of the API. */
export function answer(result: GenerationResult): string {
  const envelope: WireResult = {
    result: { response: result.text, usage: chatUsage(result.prompt, result.outputTokens) },
    success: true,
    errors: [],
    messages: [],
  }
  return JSON.stringify(envelope)
}
