import type { Hasher, OrgId } from '@incipit/core'
import { frame, IncipitError, orgId, toHex } from '@incipit/core'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { header } from '../http/exchange.ts'

/** Who is calling, as far as the gateway knows: from a key, never from a claim in the request. */
export interface Caller {
  readonly org: OrgId
  /** Name of the key; `undefined` on an open gateway. */
  readonly keyName: string | undefined
  readonly role: 'member' | 'admin'
  /** A provider's key that the caller brought, for upstreams that are called with it. */
  readonly credential: PresentedKey | undefined
  /** The caller has no key of the gateway: its organisation is made from the provider's key it brought. */
  readonly ownCredential: boolean
}

/** A key as it was presented. */
export interface PresentedKey {
  readonly header: 'authorization' | 'x-api-key'
  readonly value: string
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
  readonly #callers: ReadonlyMap<string, { readonly digest: Buffer; readonly caller: KnownCaller }>
  readonly #clients: ClientCredentials | undefined

  /** `clients`: some upstream is called with the keys of callers, so that a key not known here may be one of those. */
  constructor(entries: readonly KeyEntry[], clients?: ClientCredentials) {
    this.#clients = clients
    this.#callers = new Map(
      entries.map((entry) => {
        const digest = sha256(entry.key)
        const caller: KnownCaller = { org: orgId(entry.org), keyName: entry.name, role: entry.role }
        return [digest.toString('hex'), { digest, caller }]
      }),
    )
  }

  /** True where no key is configured, and so none is asked for. */
  get open(): boolean {
    return this.#callers.size === 0
  }

  /** How many organisations have keys here; 1 on an open gateway. */
  get organisations(): number {
    return this.open ? 1 : new Set([...this.#callers.values()].map(({ caller }) => caller.org)).size
  }

  /** @throws IncipitError `missing_key`, `invalid_key`; on an open gateway `forbidden` */
  authenticate(request: IncomingMessage): Caller {
    const presented = presentedKey(request)
    if (this.open) {
      checkLocal(request)
      return { org: openOrg, keyName: undefined, role: 'admin', credential: presented, ownCredential: false }
    }
    // Whoever sends a key of a provider along names the gateway's key in a header of its own.
    const own = header(request, 'x-incipit-key')
    if (own !== undefined) return { ...this.#known(own), credential: presented, ownCredential: false }
    if (presented === undefined) throw new IncipitError('missing_key', 'the request carries no key')
    const known = this.#find(presented.value)
    if (known !== undefined) return { ...known, credential: undefined, ownCredential: false }
    if (this.#clients === undefined) throw unknownKey(presented.value)
    return clientCaller(presented, this.#clients)
  }

  #known(key: string): KnownCaller {
    const known = this.#find(key)
    if (known === undefined) throw unknownKey(key)
    return known
  }

  #find(key: string): KnownCaller | undefined {
    const digest = sha256(key)
    const known = this.#callers.get(digest.toString('hex'))
    return known !== undefined && timingSafeEqual(known.digest, digest) ? known.caller : undefined
  }
}

type KnownCaller = Pick<Caller, 'org' | 'keyName' | 'role'>

/** What makes an organisation of a provider's key. */
export interface ClientCredentials {
  readonly hasher: Hasher
  readonly secret: Uint8Array
}

/** A caller known by nothing but a provider's key: whoever has the same key is the same organisation. */
function clientCaller(presented: PresentedKey, { hasher, secret }: ClientCredentials): Caller {
  const digest = hasher.hmacSha256(secret, frame(['incipit/client-credential/1', presented.value]))
  const org = orgId(`client_${toHex(digest).slice(0, 32)}`)
  return { org, keyName: undefined, role: 'member', credential: presented, ownCredential: true }
}

function unknownKey(key: string): IncipitError {
  return new IncipitError('invalid_key', `the key of ${key.length} characters is not known here`)
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

/** SDKs differ: a bearer token, `x-api-key`, `api-key`, `x-goog-api-key`, or `?key=` of the address. */
function presentedKey(request: IncomingMessage): PresentedKey | undefined {
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

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
