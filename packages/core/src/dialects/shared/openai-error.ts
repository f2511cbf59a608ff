import type { UpstreamFault } from '../../domain/answer.ts'
import type { RenderedError } from '../../domain/dialect.ts'
import type { ErrorCode, IncipitError } from '../../domain/errors.ts'
import { chatFault, readJsonFault } from './chat-fault.ts'

/** An error object of the OpenAI APIs. */
export interface OpenaiError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  /** Beyond the API: finds the request in the log. */
  readonly request_id: string
}

/** Codes that clients of these APIs already act on; all others keep the name they have here. */
const knownCodes: Partial<Record<ErrorCode, string>> = {
  invalid_key: 'invalid_api_key',
  rate_limited: 'rate_limit_exceeded',
  budget_exceeded: 'insufficient_quota',
  unknown_model: 'model_not_found',
  context_overflow: 'context_length_exceeded',
}

/**
 * An error of ours as these APIs word it; the hint ends the message.
 * @example openaiError(new IncipitError('invalid_key', 'the key is unknown'), 'req_1').code // 'invalid_api_key'
 */
export function openaiError(error: IncipitError, requestId: string): OpenaiError {
  return {
    message: `${error.message}. ${error.hint}`,
    type: errorType(error.status),
    param: error.param ?? null,
    code: knownCodes[error.code] ?? error.code,
    request_id: requestId,
  }
}

/** @example renderOpenaiError(error, 'req_1').status */
export function renderOpenaiError(error: IncipitError, requestId: string): RenderedError {
  return { status: error.status, body: JSON.stringify({ error: openaiError(error, requestId) }) }
}

/** Clients of these APIs know no 529, the status of an overloaded Anthropic. */
const foreignStatuses: Readonly<Record<number, number>> = { 529: 503 }

/**
 * An upstream's error that came in another dialect: the type follows the status, the upstream's own word is the code.
 * @example renderOpenaiFault(fault, 529, 'req_1').status // 503
 */
export function renderOpenaiFault(fault: UpstreamFault, status: number, requestId: string): RenderedError {
  const known = foreignStatuses[status] ?? status
  const error: OpenaiError = {
    message: fault.message,
    type: errorType(known),
    param: fault.param ?? null,
    code: fault.code ?? fault.type ?? null,
    request_id: requestId,
  }
  return { status: known, body: JSON.stringify({ error }) }
}

/**
 * The fault that an error body states, whatever its shape.
 * @example readOpenaiFault(429, '{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}')
 */
export function readOpenaiFault(status: number, body: string): UpstreamFault {
  return readJsonFault(status, body, chatFault)
}

function errorType(status: number): string {
  if (status >= 500) return 'server_error'
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 408) return 'timeout_error'
  if (status === 429) return 'rate_limit_error'
  return 'invalid_request_error'
}
