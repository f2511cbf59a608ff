import type { CacheMark } from '../../domain/conversation.ts'
import type { Field } from './field.ts'

const lives = ['5m', '30m', '1h', '12h'] as const

/** Members that mark what carries them, in bodies of the chat family. */
export const markMembers = ['prompt_cache_breakpoint', 'cache_control'] as const

/**
 * The cache mark that a tool, message or content part carries: OpenAI's `prompt_cache_breakpoint`, whose life
 * the request sets, or `cache_control`, which OpenRouter and Model Studio take in chat bodies.
 *
 * @throws IncipitError when a mark is no object, or its life is none that any provider offers
 * @example markOf(part, cacheOptions(root).ttl)
 */
export function markOf(field: Field, requestTtl: CacheMark['ttl']): CacheMark | undefined {
  const control = field.find('cache_control')?.object()
  if (control !== undefined) return { ttl: ttlOf(control) }
  return field.find('prompt_cache_breakpoint')?.object() === undefined ? undefined : { ttl: requestTtl }
}

/** The `ttl` of a mark, or of the options of a request. */
export function ttlOf(field: Field): CacheMark['ttl'] {
  return field.find('ttl')?.oneOf(lives)
}
