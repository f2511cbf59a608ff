import type { Clock, EpochMs, Hasher, OrgId } from '@incipit/core'
import { epochMs, frame, IncipitError, orgId, toHex } from '@incipit/core'
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { header } from '../http/exchange.ts'
import type { KeyBook } from '../keys/key-book.ts'
import { formOf, keyDigest } from '../keys/key-text.ts'
import type { ConfiguredKey } from '../keys/key-shape.ts'
import type { Plane, Scopes } from '../keys/scopes.ts'
import { allScopes, mayAsk } from '../keys/scopes.ts'
import type { VirtualKey } from '../keys/virtual-key.ts'
import type { Limits } from '../limits/limits.ts'
import { noLimits } from '../limits/limits.ts'
import { checkLocal } from './check-local.ts'
import type { PresentedKey } from './presented-key.ts'
import { presentedKey } from './presented-key.ts'

export type { PresentedKey } from './presented-key.ts'

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
  /** What the key may do; `undefined` where there is none of the gateway. */
  readonly grant?: Grant | undefined
}

/** What a key may be used for, and how much. */
export interface Grant {
  /** Tells its counters from those of all other keys: also of one that had its name before. */
  readonly id: string
  readonly scopes: Scopes
  readonly limits: Limits
  readonly expiresAt: EpochMs | undefined
  /** Since when its costs count; `undefined` = since ever. */
  readonly since: EpochMs | undefined
}

/** A configured key. */
export interface KeyEntry {
  readonly key: string
  readonly org: string
  readonly name: string
  readonly role: 'member' | 'admin'
  readonly limits?: Limits | undefined
  readonly scopes?: Scopes | undefined
  /** Milliseconds since 1970; `undefined` = never. */
  readonly expires?: number | undefined
}

/** Where keys come from besides the configuration, and what is needed to judge them. */
export interface KeySources {
  /** Some upstream is called with the keys of callers, so that a key not known here may be one of those. */
  readonly clients?: ClientCredentials | undefined
  readonly book?: KeyBook | undefined
  readonly clock?: Clock | undefined
}

/** The organisation of every request on a gateway without keys. */
export const openOrg: OrgId = orgId('local')

/**
 * Knows the configured keys by their SHA-256, so that neither the look-up nor its timing tells anything about a
 * key, and the virtual ones by their book. Without configured keys the gateway is open: whoever presents none of
 * its keys is the admin of one organisation.
 *
 * @example const caller = new KeyRing(config.keys).authenticate(request)
 */
export class KeyRing {
  readonly #entries: ReadonlyMap<string, { readonly digest: Buffer; readonly key: KnownKey }>
  /** Organisations of the configuration. */
  readonly #orgs: ReadonlySet<string>
  readonly #sources: KeySources

  constructor(entries: readonly KeyEntry[], sources: KeySources = {}) {
    this.#sources = sources
    this.#entries = new Map(
      entries.map((entry) => {
        const digest = keyDigest(entry.key)
        return [digest.toString('hex'), { digest, key: ofEntry(entry) }]
      }),
    )
    this.#orgs = new Set(this.open ? [openOrg] : entries.map(({ org }) => org))
  }

  /** True where no key is configured, and so none is asked for. */
  get open(): boolean {
    return this.#entries.size === 0
  }

  /** How many organisations there are; 1 on an open gateway without virtual keys. */
  get organisations(): number {
    const virtual = this.#sources.book?.orgs
    return virtual === undefined || virtual.size === 0 ? this.#orgs.size : new Set([...this.#orgs, ...virtual]).size
  }

  /** The keys of the configuration, without their secrets. */
  get configured(): ConfiguredKey[] {
    return [...this.#entries.values()].map(({ key: { keyName: name, org, role, grant } }) => {
      const { id, scopes, limits, expiresAt } = grant
      return { id, name, org, role, scopes, limits, expiresAt }
    })
  }

  /** Whether a configured key has this name. */
  hasName(name: string): boolean {
    return [...this.#entries.values()].some(({ key }) => key.keyName === name)
  }

  /** The id of the key with this secret. */
  idOf(secret: string): string | undefined {
    return this.#find(secret)?.grant.id
  }

  /**
   * Who is calling, and with a key that may ask this plane; `any`: every valid key may.
   * @throws IncipitError `missing_key`, `invalid_key`, `expired_key`, `disabled_key`, `out_of_scope`; on an open gateway `forbidden`
   */
  authenticate(request: IncomingMessage, plane: Plane | 'any' = 'control'): Caller {
    // Whoever sends a key of a provider along names the gateway's key in a header of its own.
    const own = header(request, 'x-incipit-key')
    const presented = presentedKey(request)
    if (own !== undefined && (!this.open || formOf(own) !== 'other')) {
      return { ...this.#admitted(this.#get(own), plane), credential: this.#foreign(presented), ownCredential: false }
    }
    const known = presented === undefined ? undefined : this.#find(presented.value)
    if (known !== undefined) return { ...this.#admitted(known, plane), credential: undefined, ownCredential: false }
    // What looks like a key of ours is none of a provider's, and never sent to one.
    if (presented !== undefined && formOf(presented.value) !== 'other') throw this.#unknown(presented.value)
    if (this.open) {
      checkLocal(request)
      return { org: openOrg, keyName: undefined, role: 'admin', credential: presented, ownCredential: false }
    }
    if (presented === undefined) throw new IncipitError('missing_key', 'the request carries no key')
    if (this.#sources.clients === undefined) throw unknownKey(presented.value)
    return clientCaller(presented, this.#sources.clients)
  }

  /** A provider's key. One of ours, presented a second time, is none, and is sent to nobody. */
  #foreign(presented: PresentedKey | undefined): PresentedKey | undefined {
    if (presented === undefined || formOf(presented.value) !== 'other') return undefined
    return this.#find(presented.value) === undefined ? presented : undefined
  }

  #get(secret: string): KnownKey {
    const known = this.#find(secret)
    if (known === undefined) throw this.#unknown(secret)
    return known
  }

  #unknown(secret: string): IncipitError {
    if (this.#sources.book?.loaded !== false || formOf(secret) !== 'whole') return unknownKey(secret)
    return new IncipitError('store_unavailable', 'the store of virtual keys has not answered yet', {
      retryAfterSeconds: 5,
    })
  }

  #find(secret: string): KnownKey | undefined {
    if (this.open && (this.#sources.book?.size ?? 0) === 0) return undefined
    const digest = keyDigest(secret)
    const entry = this.#entries.get(digest.toString('hex'))
    if (entry !== undefined) return timingSafeEqual(entry.digest, digest) ? entry.key : undefined
    const virtual = this.#sources.book?.find(digest)
    return virtual === undefined ? undefined : ofVirtual(virtual)
  }

  #admitted(key: KnownKey, plane: Plane | 'any'): KnownCaller {
    const { disabled, ...caller } = key
    const { scopes, expiresAt } = caller.grant
    if (disabled) throw new IncipitError('disabled_key', `the key "${key.keyName}" is disabled`)
    if (expiresAt !== undefined && (this.#sources.clock?.now() ?? Date.now()) >= expiresAt) {
      throw new IncipitError('expired_key', `the key "${key.keyName}" expired at ${new Date(expiresAt).toISOString()}`)
    }
    if (plane !== 'any' && !mayAsk(scopes, plane)) {
      const allowed = scopes.endpoints?.join(', ')
      throw new IncipitError(
        'out_of_scope',
        `this is an endpoint of "${plane}"; the key "${key.keyName}" is for "${allowed}"`,
      )
    }
    this.#sources.book?.noteUse(caller.grant.id)
    return caller
  }
}

type KnownCaller = Pick<Caller, 'org' | 'role'> & { readonly keyName: string; readonly grant: Grant }
type KnownKey = KnownCaller & { readonly disabled: boolean }

function ofEntry({ org, name, role, limits, scopes, expires }: KeyEntry): KnownKey {
  const grant: Grant = {
    id: `config:${name}`,
    scopes: scopes ?? allScopes,
    limits: limits ?? noLimits,
    expiresAt: expires === undefined ? undefined : epochMs(expires),
    since: undefined,
  }
  return { org: orgId(org), keyName: name, role, grant, disabled: false }
}

function ofVirtual(key: VirtualKey): KnownKey {
  const { id, org, name, role, scopes, limits, expiresAt, createdAt, disabled } = key
  return { org, keyName: name, role, grant: { id, scopes, limits, expiresAt, since: createdAt }, disabled }
}

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

/** The checksum of a key says nothing about any other: that one is mistyped may be said. */
function unknownKey(key: string): IncipitError {
  const message =
    formOf(key) === 'damaged'
      ? `the key of ${key.length} characters is incomplete or mistyped: its checksum does not match`
      : `the key of ${key.length} characters is not known here`
  return new IncipitError('invalid_key', message)
}

/** @throws IncipitError `forbidden` unless the caller is an admin */
export function requireAdmin(caller: Caller): void {
  if (caller.role === 'admin') return
  const key = caller.keyName === undefined ? 'a key that is none of this gateway' : `the key "${caller.keyName}"`
  throw new IncipitError('forbidden', `${key} has the role "member"`)
}
