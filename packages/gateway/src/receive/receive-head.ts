import { IncipitError } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import { knownCodings } from '../http/content-coding.ts'
import { header } from '../http/exchange.ts'

/** The request headers that steer a prompt, checked. */
export interface RequestHead {
  /** `undefined` = the client leaves it to the gateway. */
  readonly prefixCache: 'on' | 'off' | undefined
  readonly isolationKey: string | undefined
}

/** Longest value of a header that names a session or isolates a cache. */
export const maxIdentityLength = 1024

/**
 * Checks what the head says before the body is read.
 * @throws IncipitError `invalid_header`, `unsupported_media_type`
 * @example const head = receiveHead(exchange.request)
 */
export function receiveHead(request: IncomingMessage): RequestHead {
  checkMediaType(request)
  return {
    prefixCache: switchHeader(request, 'x-incipit-prefix-cache'),
    isolationKey: identityHeader(request, 'x-prompt-cache-isolation-key'),
  }
}

/**
 * A header that carries an id: absent or empty is `undefined`.
 * @throws IncipitError `invalid_header` when it is too long or holds control characters
 */
export function identityHeader(request: IncomingMessage, name: string): string | undefined {
  const value = header(request, name)
  if (value === undefined || value === '') return undefined
  return checkIdentity(decodeHeader(value, name), { code: 'invalid_header', what: `header ${name}`, param: name })
}

/**
 * An id that keys a hash: bounded, and different ids must stay different when they become bytes.
 * @throws IncipitError of the given code
 */
export function checkIdentity(
  value: string,
  where: { readonly code: 'invalid_header' | 'invalid_request'; readonly what: string; readonly param: string },
): string {
  const { code, what, param } = where
  if (value.length > maxIdentityLength) {
    throw new IncipitError(code, `${what} has ${value.length} characters, ${maxIdentityLength} allowed`, { param })
  }
  const bad = value.search(/[\p{Cc}\p{Cs}]/u)
  if (bad === -1) return value
  throw new IncipitError(code, `${what} has a control character or half a character at position ${bad}`, { param })
}

/** Node reads header bytes as Latin-1; ids are UTF-8 everywhere else, and must match those. */
function decodeHeader(value: string, name: string): string {
  if (/^[ -~]*$/.test(value)) return value
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'))
  } catch (cause) {
    throw new IncipitError('invalid_header', `header ${name} is not UTF-8`, { param: name, cause })
  }
}

function switchHeader(request: IncomingMessage, name: string): 'on' | 'off' | undefined {
  const value = header(request, name)?.toLowerCase()
  if (value === undefined || value === 'on' || value === 'off') return value
  throw new IncipitError('invalid_header', `header ${name} is "${printable(value)}", allowed are "on" and "off"`, {
    param: name,
  })
}

function checkMediaType(request: IncomingMessage): void {
  const type = header(request, 'content-type')?.trim()
  if (type !== undefined && !isJson(type) && !isCurlDefault(type, request)) {
    throw new IncipitError('unsupported_media_type', `content-type is "${printable(type)}"`, { param: 'content-type' })
  }
  const encoding = header(request, 'content-encoding')
  if (encoding !== undefined && !['identity', ...knownCodings].includes(encoding.trim().toLowerCase())) {
    const message = `content-encoding is "${printable(encoding)}", read are ${knownCodings.join(', ')}`
    throw new IncipitError('unsupported_media_type', message, { param: 'content-encoding' })
  }
}

function isJson(type: string): boolean {
  return /^application\/([\w.-]+\+)?json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i.test(type)
}

/**
 * Documented calls often leave the type to curl, which then names a form. A page of another site could
 * send a form, too, but not with an authorization header: that tells the two apart.
 */
function isCurlDefault(type: string, request: IncomingMessage): boolean {
  return type === 'application/x-www-form-urlencoded' && header(request, 'authorization') !== undefined
}

function printable(value: string): string {
  const shown = value.slice(0, 80).replace(/[^ -~]/g, '?')
  return value.length > 80 ? `${shown}...` : shown
}
