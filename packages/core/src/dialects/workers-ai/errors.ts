import type { UpstreamFault } from '../../domain/answer.ts'
import type { RenderedError } from '../../domain/dialect.ts'
import type { ErrorCode, IncipitError } from '../../domain/errors.ts'
import { chatFault, readJsonFault, wordOf } from '../shared/chat-fault.ts'
import { isRecord } from '../shared/token-counts.ts'
import type { WireError } from './wire.ts'

/**
 * Numeric codes of the API. Those of Workers AI are read in its error table [V],
 * https://developers.cloudflare.com/workers-ai/platform/errors/, 2026-07-29; the codes of the API in
 * front of it (10000 for credentials, 7003 for routes) and 5006 for input that its schema refuses are [U].
 * Statuses stay ours: that table answers an unknown model with 400, we with 404.
 */
const codes: Readonly<Record<ErrorCode, number>> = {
  invalid_json: 5006,
  invalid_utf8: 5006,
  invalid_request: 5006,
  missing_field: 5006,
  too_deep: 5006,
  invalid_header: 3003,
  unsupported_feature: 5006,
  context_overflow: 5006,
  missing_key: 10000,
  invalid_key: 10000,
  expired_key: 10000,
  disabled_key: 10000,
  forbidden: 10000,
  out_of_scope: 10000,
  unknown_route: 7003,
  unknown_model: 5007,
  not_found: 7003,
  wrong_method: 7003,
  request_timeout: 3007,
  conflict: 5006,
  body_too_large: 3006,
  unsupported_media_type: 3003,
  rate_limited: 3040,
  budget_exceeded: 3036,
  header_too_large: 3006,
  client_closed: 3008,
  internal: 5000,
  engine_failed: 5000,
  upstream_failed: 5000,
  upstream_unreachable: 5000,
  upstream_too_large: 5000,
  engine_restarting: 5000,
  engine_unavailable: 5000,
  upstream_unavailable: 3040,
  overloaded: 3040,
  shutting_down: 3040,
  store_unavailable: 3040,
  upstream_timeout: 3007,
}

/** An error in the envelope of the API; the hint ends the message. */
export function renderError(error: IncipitError, requestId: string): RenderedError {
  return { status: error.status, body: JSON.stringify(wireError(error, requestId)) }
}

export function wireError(error: IncipitError, requestId: string): WireError {
  return {
    success: false,
    errors: [
      {
        code: codes[error.code],
        message: `${error.message}. ${error.hint}`,
        ...(error.param === undefined ? {} : { param: error.param }),
        request_id: requestId,
      },
    ],
    result: null,
    messages: [],
  }
}

/** An upstream's error in the envelope, with the code of the API that comes closest. */
export function renderFault(fault: UpstreamFault, status: number, requestId: string): RenderedError {
  const known = status === 529 ? 503 : status
  const { message, param } = fault
  const error = { code: codeOf(known), message, ...(param === undefined ? {} : { param }), request_id: requestId }
  const envelope: WireError = { success: false, errors: [error], result: null, messages: [] }
  return { status: known, body: JSON.stringify(envelope) }
}

/** The error body of an upstream, whatever it holds. */
export function readFault(status: number, body: string): UpstreamFault {
  return readJsonFault(status, body, envelopeFault)
}

/** The first error of an envelope, or an error as the chat route has it. */
export function envelopeFault(body: unknown): UpstreamFault | undefined {
  if (!isRecord(body)) return undefined
  const errors: unknown = body['errors']
  const [first]: unknown[] = Array.isArray(errors) ? errors : []
  if (!isRecord(first)) return chatFault(body)
  return {
    type: undefined,
    code: wordOf(first['code']),
    message: wordOf(first['message']) ?? 'the upstream named no reason',
    param: wordOf(first['param']),
  }
}

function codeOf(status: number): number {
  if (status === 401 || status === 403) return codes.invalid_key
  if (status === 404) return codes.unknown_model
  if (status === 408 || status === 504) return codes.upstream_timeout
  if (status === 429 || status === 503) return codes.overloaded
  return status >= 500 ? codes.upstream_failed : codes.invalid_request
}
