import type { UpstreamFault } from '../../domain/answer.ts'
import type { RenderedError } from '../../domain/dialect.ts'
import type { IncipitError } from '../../domain/errors.ts'
import { isRecord } from '../shared/token-counts.ts'
import type { WireError, WireErrorType } from './wire.ts'

/** https://platform.claude.com/docs/en/api/errors, 2026-08 [V]; 402, 408 and 504 by the official client's types [U]. */
const typesByStatus: ReadonlyMap<number, WireErrorType> = new Map([
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
])

const knownTypes: ReadonlySet<string> = new Set<WireErrorType>([
  ...typesByStatus.values(),
  'invalid_request_error',
  'api_error',
])

/** Bodies that are no JSON are cut to this in messages. */
const longestText = 300

/** An error as the API words it; the hint ends the message. */
export function renderError(error: IncipitError, requestId: string): RenderedError {
  return { status: error.status, body: JSON.stringify(wireError(error, requestId)) }
}

export function wireError(error: IncipitError, requestId: string): WireError {
  const message = `${error.message}. ${error.hint}`
  return { type: 'error', error: { type: typeOf(error.status), message, code: error.code }, request_id: requestId }
}

/** An upstream's error; its own word for it where this API has that too. */
export function renderFault(fault: UpstreamFault, status: number, requestId: string): RenderedError {
  const type = fault.type !== undefined && isKnown(fault.type) ? fault.type : typeOf(status)
  const error = { type, message: fault.message, ...(fault.code === undefined ? {} : { code: fault.code }) }
  return { status, body: JSON.stringify({ type: 'error', error, request_id: requestId } satisfies WireError) }
}

/** What an upstream says went wrong: this API's shape, OpenAI's, a bare message, or any text. */
export function readFault(status: number, body: string): UpstreamFault {
  const parsed = parsedOr(body)
  const found = isRecord(parsed) ? parsed : {}
  const error = found['error'] ?? found
  if (typeof error === 'string') return faultOf({ message: error })
  if (isRecord(error) && typeof error['message'] === 'string') return faultOf(error)
  const text = body.trim().slice(0, longestText)
  return faultOf({ message: text === '' ? `the upstream answered ${status} and said nothing` : text })
}

/** The fault that an `error` event of a stream tells of. */
export function faultOfEvent(event: Readonly<Record<string, unknown>>): UpstreamFault {
  const error = isRecord(event['error']) ? event['error'] : {}
  return faultOf({ message: 'the upstream ended its stream with an error', ...error })
}

function faultOf(error: Readonly<Record<string, unknown>>): UpstreamFault {
  return {
    type: textOf(error['type']),
    code: textOf(error['code']),
    message: textOf(error['message']) ?? '',
    param: textOf(error['param']),
  }
}

function typeOf(status: number): WireErrorType {
  return typesByStatus.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
}

function isKnown(type: string): type is WireErrorType {
  return knownTypes.has(type)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function parsedOr(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined
  }
}
