import type { RenderedError } from '../../domain/dialect.ts'
import type { ErrorCode, IncipitError } from '../../domain/errors.ts'
import type { WireError } from './wire.ts'

/** Codes that clients of this API already act on; all others keep the name they have here. */
const knownCodes: Partial<Record<ErrorCode, string>> = {
  invalid_key: 'invalid_api_key',
  unknown_model: 'model_not_found',
  context_overflow: 'context_length_exceeded',
}

/** An error as the API words it; the hint ends the message. */
export function renderError(error: IncipitError, requestId: string): RenderedError {
  return { status: error.status, body: JSON.stringify(wireError(error, requestId)) }
}

export function wireError(error: IncipitError, requestId: string): WireError {
  return {
    error: {
      message: `${error.message}. ${error.hint}`,
      type: errorType(error.status),
      param: error.param ?? null,
      code: knownCodes[error.code] ?? error.code,
      request_id: requestId,
    },
  }
}

function errorType(status: number): string {
  if (status >= 500) return 'server_error'
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 408) return 'timeout_error'
  if (status === 429) return 'rate_limit_error'
  return 'invalid_request_error'
}
