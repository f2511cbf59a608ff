import type { OrgId } from '@incipit/core'
import { IncipitError, orgId } from '@incipit/core'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { header } from '../http/exchange.ts'

/** Who is calling, as far as the gateway knows: from a key, never from a claim in the request. */
export interface Caller {
  readonly org: OrgId
  /** Name of the key; `undefined` on an open gateway. */
  readonly keyName: string | undefined
  readonly role: 'member' | 'admin'
}

/** A configured key. */
export interface KeyEntry {
  readonly key: string
  readonly org: string
  readonly name: string
  readonly role: 'member' | 'admin'
}

/** The organisation of every request on a gateway without keys. */
export const openOrg: OrgId = orgId('local')

/**
 * Knows the configured keys by their SHA-256, so that neither the look-up nor its timing tells
 * anything about a key. Without keys the gateway is open: everyone is the admin of one organisation.
 *
 * @example const caller = new KeyRing(config.keys).authenticate(request)
 */
export class KeyRing {
  readonly #callers: ReadonlyMap<string, { readonly digest: Buffer; readonly caller: Caller }>

  constructor(entries: readonly KeyEntry[]) {
    this.#callers = new Map(
      entries.map((entry) => {
        const digest = sha256(entry.key)
        const caller: Caller = { org: orgId(entry.org), keyName: entry.name, role: entry.role }
        return [digest.toString('hex'), { digest, caller }]
      }),
    )
  }

  /** True where no key is configured, and so none is asked for. */
  get open(): boolean {
    return this.#callers.size === 0
  }

  /** @throws IncipitError `missing_key`, `invalid_key`; on an open gateway `forbidden` */
  authenticate(request: IncomingMessage): Caller {
    if (this.open) {
      checkLocal(request)
      return { org: openOrg, keyName: undefined, role: 'admin' }
    }
    const key = presentedKey(request)
    if (key === undefined) throw new IncipitError('missing_key', 'the request carries no key')
    const digest = sha256(key)
    const known = this.#callers.get(digest.toString('hex'))
    if (known === undefined || !timingSafeEqual(known.digest, digest)) {
      throw new IncipitError('invalid_key', `the key of ${key.length} characters is not known here`)
    }
    return known.caller
  }
}

/** @throws IncipitError `forbidden` unless the caller is an admin */
export function requireAdmin(caller: Caller): void {
  if (caller.role !== 'admin') throw new IncipitError('forbidden', `the key "${caller.keyName}" has the role "member"`)
}

/**
 * An open gateway trusts the machine it runs on, not the web pages its browser shows: those reach
 * loopback under a name of their own, or say where they come from.
 */
function checkLocal(request: IncomingMessage): void {
  const host = header(request, 'host')
  const origin = header(request, 'origin')
  if (host !== undefined && !isLoopback(`http://${host}`)) {
    throw new IncipitError(
      'forbidden',
      `without keys the gateway answers to loopback names, not to "${host.slice(0, 100)}"`,
    )
  }
  if (origin !== undefined && !isLoopback(origin)) {
    throw new IncipitError('forbidden', `without keys the gateway does not answer pages of "${origin.slice(0, 100)}"`)
  }
}

function isLoopback(url: string): boolean {
  try {
    const { hostname, protocol } = new URL(url)
    return /^https?:$/.test(protocol) && /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(hostname)
  } catch {
    return false
  }
}

function presentedKey(request: IncomingMessage): string | undefined {
  const authorization = header(request, 'authorization')
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+)\s*$/i.exec(authorization)?.[1]
  return bearer ?? header(request, 'x-api-key')
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
