import type { ErrorCode } from '@incipit/core'

/** In which phase an upstream did not answer: it decides what may be repeated. */
export type FailurePhase =
  /** Nothing was sent: repeating is always safe. */
  | 'connect'
  /** Sent, and the connection was lost before a byte of the answer. */
  | 'lost'
  /** Sent, and no head came within its time: the upstream may still be at work. */
  | 'first-byte'
  /** The answer had begun. */
  | 'answer'

const connectCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_PRX_TLS',
])
const timeoutCodes = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

/** An upstream that gave no answer, or broke one off. */
export class UpstreamFailure extends Error {
  readonly phase: FailurePhase
  readonly code: Extract<
    ErrorCode,
    'upstream_unreachable' | 'upstream_timeout' | 'upstream_failed' | 'upstream_too_large'
  >

  constructor(phase: FailurePhase, code: UpstreamFailure['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'UpstreamFailure'
    this.phase = phase
    this.code = code
  }

  /** What the transport reported, in plain words without addresses of ours. */
  static of(cause: Error & { readonly code?: string | undefined }, begun = false): UpstreamFailure {
    const code = cause.code ?? ''
    const message = plainWords(code, cause)
    const timeout = timeoutCodes.has(code)
    if (begun) return new UpstreamFailure('answer', timeout ? 'upstream_timeout' : 'upstream_failed', message, cause)
    if (code === 'UND_ERR_HEADERS_TIMEOUT') return new UpstreamFailure('first-byte', 'upstream_timeout', message, cause)
    if (connectCodes.has(code) || isTls(code)) {
      return new UpstreamFailure('connect', timeout ? 'upstream_timeout' : 'upstream_unreachable', message, cause)
    }
    return new UpstreamFailure('lost', 'upstream_failed', message, cause)
  }
}

/**
 * Redirects are neither followed nor passed on: the credential would go where the upstream says, ours or, by a client
 * that follows, the client's.
 *
 * @throws UpstreamFailure on an answer that is one; side effect: such an answer is ended
 */
export function refuseRedirect(answer: { readonly status: number; abort(reason: Error): void }): void {
  if (answer.status < 300 || answer.status > 399) return
  const message = `it answered with a redirect (${answer.status}), which is not followed: correct its base_url`
  const failure = new UpstreamFailure('answer', 'upstream_failed', message)
  answer.abort(failure)
  throw failure
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ENOTFOUND: 'its host name was not found',
  EAI_AGAIN: 'its host name was not found',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within its time',
  ETIMEDOUT: 'no connection within its time',
  UND_ERR_HEADERS_TIMEOUT: 'no first byte within its time',
  UND_ERR_BODY_TIMEOUT: 'it went silent in the middle of its answer',
  UND_ERR_SOCKET: 'the connection was lost',
  ECONNRESET: 'the connection was lost',
  EPIPE: 'the connection was lost',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'its answer is shorter than announced',
}

function plainWords(code: string, cause: Error): string {
  const known = Object.hasOwn(words, code) ? words[code] : undefined
  if (known !== undefined) return known
  if (isTls(code)) return `its certificate was not accepted (${code})`
  if (code.startsWith('HPE_') || cause.name === 'HTTPParserError') return 'its answer is not HTTP'
  return code === '' ? cause.name : code
}

function isTls(code: string): boolean {
  return /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)
}
