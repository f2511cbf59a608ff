const marker = Symbol.for('incipit.error')

/** One row of the error table: what every occurrence of a code has in common. */
export interface ErrorRow {
  readonly status: number
  /** What a caller can do about it; ends the message. */
  readonly hint: string
}

/** The public names of all errors; add, never rename. */
export type ErrorCode =
  | 'invalid_json'
  | 'invalid_utf8'
  | 'invalid_request'
  | 'missing_field'
  | 'too_deep'
  | 'invalid_header'
  | 'unsupported_feature'
  | 'context_overflow'
  | 'missing_key'
  | 'invalid_key'
  | 'expired_key'
  | 'disabled_key'
  | 'forbidden'
  | 'out_of_scope'
  | 'unknown_route'
  | 'unknown_model'
  | 'not_found'
  | 'wrong_method'
  | 'request_timeout'
  | 'conflict'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'budget_exceeded'
  | 'header_too_large'
  | 'client_closed'
  | 'internal'
  | 'engine_failed'
  | 'upstream_failed'
  | 'upstream_unreachable'
  | 'upstream_too_large'
  | 'engine_unavailable'
  | 'engine_restarting'
  | 'upstream_unavailable'
  | 'overloaded'
  | 'shutting_down'
  | 'store_unavailable'
  | 'upstream_timeout'

/**
 * Every error a caller can meet: code, HTTP status, hint. Messages add the number seen and the
 * number allowed; never prompt text or credentials. `docs/errors.md` documents each code.
 */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = {
  invalid_json: { status: 400, hint: 'Send a valid JSON body.' },
  invalid_utf8: { status: 400, hint: 'Send the body as UTF-8.' },
  invalid_request: { status: 400, hint: 'Correct the named field.' },
  missing_field: { status: 400, hint: 'Add the named field.' },
  too_deep: { status: 400, hint: 'Nest the body less deeply.' },
  invalid_header: { status: 400, hint: 'Correct the named header.' },
  unsupported_feature: { status: 400, hint: 'Leave the named field out, or use a model that takes it.' },
  context_overflow: { status: 400, hint: 'Shorten the prompt, or serve the model with a longer context.' },
  missing_key: { status: 401, hint: 'Send a key as "Authorization: Bearer KEY" or "x-api-key: KEY".' },
  invalid_key: { status: 401, hint: 'Use a key of this gateway; whoever runs it gives them out.' },
  expired_key: { status: 401, hint: 'Ask whoever runs this gateway for a new key, or for a longer life of this one.' },
  disabled_key: { status: 401, hint: 'Ask whoever runs this gateway to enable the key.' },
  forbidden: { status: 403, hint: 'Use a key with the role "admin".' },
  out_of_scope: { status: 403, hint: 'Use a key whose scopes cover this, or ask for wider ones.' },
  unknown_route: { status: 404, hint: 'See the list of endpoints in the README.' },
  unknown_model: { status: 404, hint: 'Use one of the models listed by GET /v1/models.' },
  not_found: { status: 404, hint: 'Check the id.' },
  wrong_method: { status: 405, hint: 'Use one of the methods in the "allow" header.' },
  request_timeout: { status: 408, hint: 'Send the whole request within the time allowed.' },
  conflict: { status: 409, hint: 'Look at what is there now, then send the request again.' },
  body_too_large: { status: 413, hint: 'Send a smaller body, or raise server.max_body_bytes.' },
  unsupported_media_type: { status: 415, hint: 'Send "content-type: application/json".' },
  rate_limited: { status: 429, hint: 'Send the request again after the time in "retry-after".' },
  budget_exceeded: { status: 429, hint: 'Wait until the budget begins anew, or ask for a larger one.' },
  header_too_large: { status: 431, hint: 'Send fewer or shorter headers.' },
  client_closed: { status: 499, hint: 'The client went away before the answer was complete.' },
  internal: { status: 500, hint: 'This is a defect; the request id finds it in the log.' },
  engine_failed: { status: 502, hint: 'Send the request again; the engine restarts by itself.' },
  upstream_failed: { status: 502, hint: 'The upstream gave no usable answer; try again, or look at its own log.' },
  upstream_unreachable: { status: 502, hint: 'Check base_url, network and proxy of the named upstream.' },
  upstream_too_large: { status: 502, hint: 'Ask for a shorter answer, or raise max_answer_bytes of the upstream.' },
  engine_restarting: {
    status: 503,
    hint: 'Send the request again after the time in "retry-after"; the engine restarts by itself.',
  },
  engine_unavailable: { status: 503, hint: 'Install the engine for this platform, or configure an upstream.' },
  upstream_unavailable: { status: 503, hint: 'Send the request again after the time in "retry-after".' },
  overloaded: { status: 503, hint: 'Send the request again after the time in "retry-after".' },
  shutting_down: { status: 503, hint: 'Send the request to another gateway, or again after the restart.' },
  store_unavailable: { status: 503, hint: 'Try again; the log of the gateway says what is wrong with its store.' },
  upstream_timeout: { status: 504, hint: 'Try again, or raise the timeouts of the upstream.' },
}

/** Where and how an error happened, beyond its message. */
export interface ErrorDetail {
  /** JSON pointer or field name of the offending value. */
  readonly param?: string
  /** Byte offset in the body, for malformed JSON. */
  readonly position?: number
  /** Whole seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number
  /** Trying again by itself would be in vain: clients that ask are told so. */
  readonly retryInVain?: boolean
  readonly cause?: unknown
}

/**
 * The one error class that crosses stages. Recognised by a `Symbol.for` marker, so that two copies of
 * this package still recognise each other's errors.
 *
 * @example throw new IncipitError('body_too_large', `body is ${seen} bytes, ${allowed} allowed`)
 */
export class IncipitError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly hint: string
  readonly param: string | undefined
  readonly position: number | undefined
  readonly retryAfterSeconds: number | undefined
  readonly retryInVain: boolean

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    Object.defineProperty(this, marker, { value: true })
    this.name = 'IncipitError'
    this.code = code
    this.status = errorTable[code].status
    this.hint = errorTable[code].hint
    this.param = detail.param
    this.position = detail.position
    this.retryAfterSeconds = detail.retryAfterSeconds
    this.retryInVain = detail.retryInVain ?? false
  }

  static is(error: unknown): error is IncipitError {
    return typeof error === 'object' && error !== null && marker in error
  }
}
