import type { DialectName, OrgId, SessionId } from '@incipit/core'
import { pickReplica } from '@incipit/core'
import { createHash } from 'node:crypto'
import type { UpstreamIsolation, UpstreamSettings } from '../config/upstream-settings.ts'
import { hostedOrigins } from '../config/upstream-settings.ts'
import type { Endpoint } from './base-url.ts'
import { endpointOf } from './base-url.ts'
import { Circuit } from './circuit.ts'
import type { KindTraits } from './kinds.ts'
import { kindTraits } from './kinds.ts'
import { providerOf } from './provider-of.ts'
import type { Transport } from './transport.ts'
import { openTransport } from './transport.ts'

/** One of several equal instances, each with a KV state of its own. */
export interface Replica {
  /** Host and port, as headers and the ledger show it. */
  readonly name: string
  readonly endpoint: Endpoint
  readonly circuit: Circuit
  readonly transport: Transport
}

/** A configured endpoint, ready to be called. */
export interface Upstream {
  readonly name: string
  readonly settings: UpstreamSettings
  readonly kind: KindTraits
  /** Whose price list applies. */
  readonly provider: string | undefined
  readonly isolation: UpstreamIsolation
  /** Dialects it speaks, the preferred one first. */
  readonly speaks: readonly DialectName[]
  readonly replicas: readonly Replica[]
  /** Lets what is under way come to its end. */
  close(): Promise<void>
}

/**
 * @throws TypeError when a base URL is none
 * @example const upstream = openUpstream(settings)
 */
export function openUpstream(settings: UpstreamSettings): Upstream {
  const kind = kindTraits[settings.kind]
  const addresses = baseUrls(settings, kind)
  const replicas = addresses.map((url): Replica => {
    const endpoint = endpointOf(url)
    return {
      name: endpoint.origin.replace(/^https?:\/\//, ''),
      endpoint,
      circuit: new Circuit(),
      transport: openTransport(endpoint.origin, settings),
    }
  })
  return {
    name: settings.name,
    settings,
    kind,
    provider: providerOf(settings, addresses),
    isolation: settings.isolation ?? kind.defaultIsolation,
    speaks: settings.speaks ?? (Object.keys(kind.paths) as DialectName[]), // keys of a record of dialect names
    replicas,
    close: async () => {
      await Promise.all(replicas.map(({ transport }) => transport.close()))
    },
  }
}

/**
 * The replicas in the order a session tries them: the first is always the same one while the set stays, so
 * that its prefix is found again for as long as any life it was written with (CF-3).
 */
export function replicasFor(upstream: Upstream, session: SessionId): readonly Replica[] {
  const left = [...upstream.replicas]
  const order: Replica[] = []
  while (left.length > 0) {
    const index =
      left.length === 1
        ? 0
        : pickReplica(
            session,
            left.map(({ name }) => name),
          )
    order.push(...left.splice(index, 1))
  }
  return order
}

/** A credential to present upstream, and a short hash that tells it from others without telling it. */
export interface Credential {
  readonly key: string
  readonly id: string
}

const credentialIds = new Map<string, string>()

/**
 * The key a request is sent with: the organisation's own where there is one, else one of the configured
 * keys, always the same one for a session. `undefined` = none is configured.
 */
export function credentialFor(upstream: Upstream, org: OrgId, session: SessionId): Credential | undefined {
  const { orgKeys, apiKey, apiKeys } = upstream.settings
  const own = Object.hasOwn(orgKeys, org) ? orgKeys[org] : undefined
  if (own !== undefined) return credentialOf(own)
  const key = apiKeys.length > 1 ? apiKeys[pickReplica(session, apiKeys.map(credentialId))] : (apiKeys[0] ?? apiKey)
  return key === undefined ? undefined : credentialOf(key)
}

/** @example credentialOf('sk-...').id // '9f86d081' */
export function credentialOf(key: string): Credential {
  return { key, id: credentialId(key) }
}

function credentialId(key: string): string {
  const known = credentialIds.get(key)
  if (known !== undefined) return known
  const id = createHash('sha256').update(`incipit/credential/1\n${key}`).digest('hex').slice(0, 8)
  if (credentialIds.size < 10_000) credentialIds.set(key, id)
  return id
}

function baseUrls(settings: UpstreamSettings, kind: KindTraits): readonly string[] {
  if (settings.replicas.length > 0) return settings.replicas
  if (settings.baseUrl !== undefined) return [settings.baseUrl]
  if (settings.kind === 'workers-ai' && settings.accountId !== undefined) {
    return [`${hostedOrigins['workers-ai']}/client/v4/accounts/${encodeURIComponent(settings.accountId)}/ai`]
  }
  if (kind.baseUrl !== undefined) return [kind.baseUrl]
  throw new TypeError(`upstream "${settings.name}" has no base_url`)
}
