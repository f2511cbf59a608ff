import type { IncipitError } from '../../domain/errors.ts'
import { openaiError } from '../shared/openai-error.ts'

export {
  readOpenaiFault as readFault,
  renderOpenaiError as renderError,
  renderOpenaiFault as renderFault,
} from '../shared/openai-error.ts'

/** What a stream says when it fails after its head has left. */
export interface StreamError {
  /** Members of the `error` event. The official client throws at its member `error`. */
  readonly event: string
  /** `error` of the response that failed: its codes are a closed set. */
  readonly response: string
}

/** An error of ours inside a stream. */
export function streamError(error: IncipitError, requestId: string): StreamError {
  const { message, param, code, ...rest } = openaiError(error, requestId)
  const responseCode = error.status === 429 ? 'rate_limit_exceeded' : 'server_error'
  return {
    event: `"code":${JSON.stringify(code)},"message":${JSON.stringify(message)},"param":${JSON.stringify(param)},"error":${JSON.stringify({ message, param, code, ...rest })}`,
    response: JSON.stringify({ code: responseCode, message }),
  }
}
