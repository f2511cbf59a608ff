import type { Dialect } from '../../domain/dialect.ts'
import type { Hasher } from '../../domain/hasher.ts'
import { renderError } from './errors.ts'
import { parse, toGeneration } from './parse.ts'
import { answer } from './render.ts'
import { stream } from './stream.ts'
import { readUsage } from './usage.ts'

export interface OpenaiChatOptions {
  /** Hashes attachments into the prompt. */
  readonly hasher: Hasher
  /**
   * Ends every stream with usage, also where the client did not ask: for the OpenAI-compatible route
   * of Workers AI. Off by default.
   */
  readonly alwaysStreamUsage?: boolean
}

/**
 * OpenAI Chat Completions.
 * @example const dialect = createOpenaiChat({ hasher })
 */
export function createOpenaiChat(options: OpenaiChatOptions): Dialect {
  return {
    name: 'openai-chat',
    parse,
    toGeneration: (prompt) => toGeneration(prompt, options.hasher),
    answer,
    streamContentType: 'text/event-stream; charset=utf-8',
    stream: (context) => stream(context, options.alwaysStreamUsage ?? false),
    error: renderError,
    readUsage,
  }
}
