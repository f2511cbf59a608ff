import type { Dialect, DialectName } from '@incipit/core'
import {
  createAnthropicMessages,
  createOpenaiChat,
  createOpenaiResponses,
  createWorkersAi,
  IncipitError,
} from '@incipit/core'

/** Every wire format the gateway speaks, to clients and to upstreams. */
export const dialects: Readonly<Record<Exclude<DialectName, 'gemini'>, Dialect>> = {
  'openai-chat': createOpenaiChat(),
  'openai-responses': createOpenaiResponses(),
  'anthropic-messages': createAnthropicMessages(),
  'workers-ai': createWorkersAi(),
}

/** Workers AI's own chat route reports usage in every stream, asked for or not. */
export const chatWithUsage: Dialect = createOpenaiChat({ alwaysStreamUsage: true })

/** @throws IncipitError `unsupported_feature` for one that is not spoken here */
export function dialectNamed(name: DialectName): Dialect {
  if (name !== 'gemini') return dialects[name]
  throw new IncipitError('unsupported_feature', 'this version does not speak the dialect of Gemini')
}
