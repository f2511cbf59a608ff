declare const brand: unique symbol

/** A primitive that carries its meaning in its type; no bare number passes for it. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** A count of model tokens: a non-negative integer. */
export type TokenCount = Brand<number, 'TokenCount'>
/** A duration in milliseconds; may be fractional. */
export type Milliseconds = Brand<number, 'Milliseconds'>
/** An instant: milliseconds since the Unix epoch. */
export type EpochMs = Brand<number, 'EpochMs'>
/** A number of bytes: a non-negative integer. */
export type ByteCount = Brand<number, 'ByteCount'>
/** Who a request belongs to: the organisation that shares one cache. */
export type OrgId = Brand<string, 'OrgId'>
/** One conversation or agent run, as the client named it or as derived; a routing hint, never a permission. */
export type SessionId = Brand<string, 'SessionId'>
/** Identity of one request, unique per gateway: `req_` and 24 characters. */
export type RequestId = Brand<string, 'RequestId'>
/** 16 lower-case hex digits: the wire hash of a prefix (M-4). */
export type WireHash = Brand<string, 'WireHash'>

/**
 * @throws RangeError when `value` is not a non-negative safe integer
 * @example tokenCount(42)
 */
export function tokenCount(value: number): TokenCount {
  return wholeNumber('token count', value) as TokenCount
}

/**
 * @throws RangeError when `value` is not a non-negative safe integer
 * @example byteCount(2 ** 20)
 */
export function byteCount(value: number): ByteCount {
  return wholeNumber('byte count', value) as ByteCount
}

/**
 * @throws RangeError when `value` is not finite
 * @example milliseconds(12.5)
 */
export function milliseconds(value: number): Milliseconds {
  return finite('milliseconds', value) as Milliseconds
}

/**
 * @throws RangeError when `value` is not finite
 * @example epochMs(Date.now())
 */
export function epochMs(value: number): EpochMs {
  return finite('instant', value) as EpochMs
}

/** @example orgId('acme') */
export function orgId(value: string): OrgId {
  return value as OrgId
}

/** @example sessionId('ses_12345678') */
export function sessionId(value: string): SessionId {
  return value as SessionId
}

/** @example requestId('req_0123456789abcdef01234567') */
export function requestId(value: string): RequestId {
  return value as RequestId
}

/**
 * @throws RangeError when `value` is not 16 lower-case hex digits
 * @example wireHash('00ff00ff00ff00ff')
 */
export function wireHash(value: string): WireHash {
  if (!/^[0-9a-f]{16}$/.test(value)) {
    throw new RangeError(`wire hash must be 16 hex digits, got ${value.length} characters`)
  }
  return value as WireHash
}

function wholeNumber(what: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${what} must be a non-negative integer, got ${value}`)
  }
  return value
}

function finite(what: string, value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${what} must be finite, got ${value}`)
  return value
}
