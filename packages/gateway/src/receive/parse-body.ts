import type { Dialect, ParseContext, Prompt } from '@incipit/core'
import { IncipitError, looksLikeResponses, scanJson } from '@incipit/core'

/**
 * A body as a prompt. Cursor posts a Responses body to the path of Chat: only one that is no Chat body is
 * looked at a second time.
 *
 * @throws IncipitError whatever the dialect of the path says
 * @example const prompt = parseBody(body, { dialect: chat, otherwise: responses }, {})
 */
export function parseBody(
  body: Uint8Array,
  door: { readonly dialect: Dialect; readonly otherwise?: Dialect | undefined },
  context: ParseContext,
): Prompt {
  try {
    return door.dialect.parse(body, context)
  } catch (error) {
    const mayBeOther = IncipitError.is(error) && error.code === 'missing_field' && error.param === '/messages'
    if (door.otherwise === undefined || !mayBeOther || !looksLikeResponses(scanJson(body))) throw error
    return door.otherwise.parse(body, context)
  }
}
