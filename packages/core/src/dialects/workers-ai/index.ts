import type { Dialect } from '../../domain/dialect.ts'
import type { Hasher } from '../../domain/hasher.ts'
import { renderError } from './errors.ts'
import { parse, toGeneration } from './parse.ts'
import { answer } from './render.ts'
import { stream } from './stream.ts'
import { readUsage } from './usage.ts'

export interface WorkersAiOptions {
  /** Hashes attachments into the prompt. */
  readonly hasher: Hasher
}

/**
 * The `ai/run` route of Workers AI. Its OpenAI-compatible route is
 * `createOpenaiChat({ hasher, alwaysStreamUsage: true })`.
 *
 * @example const dialect = createWorkersAi({ hasher })
 */
export function createWorkersAi(options: WorkersAiOptions): Dialect {
  return {
    name: 'workers-ai',
    parse,
    toGeneration: (prompt) => toGeneration(prompt, options.hasher),
    answer,
    streamContentType: 'text/event-stream; charset=utf-8',
    stream,
    error: renderError,
    readUsage,
  }
}
