import type { IncomingMessage } from 'node:http'
import { header } from '../http/exchange.ts'

/** A key as it was presented. */
export interface PresentedKey {
  readonly header: 'authorization' | 'x-api-key'
  readonly value: string
}

/** SDKs differ: a bearer token, `x-api-key`, `api-key`, `x-goog-api-key`, or `?key=` of the address. */
export function presentedKey(request: IncomingMessage): PresentedKey | undefined {
  const authorization = header(request, 'authorization')
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+)\s*$/i.exec(authorization)?.[1]
  if (bearer !== undefined) return { header: 'authorization', value: bearer }
  const value =
    header(request, 'x-api-key') ??
    header(request, 'api-key') ??
    header(request, 'x-goog-api-key') ??
    keyInQuery(request)
  return value === undefined || value === '' ? undefined : { header: 'x-api-key', value }
}

function keyInQuery(request: IncomingMessage): string | undefined {
  const { url = '' } = request
  const at = url.indexOf('?')
  if (at === -1 || !url.includes('key=', at)) return undefined
  return new URLSearchParams(url.slice(at)).get('key') ?? undefined
}
