import type { DialectName } from '@incipit/core'
import { IncipitError, sessionId } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import type { Identified } from '../passage.ts'
import type { UpstreamTarget } from '../route/route.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { credentialFor } from '../upstreams/upstream.ts'

/**
 * Headers of a client that end here: of the hop, of its address, its credentials, its raw session ids, and
 * what the transport sets itself. Everything else goes on as it came, in open lists such as `anthropic-beta`.
 */
const endHere = new Set([
  'accept-encoding',
  'api-key',
  'authorization',
  'cf-connecting-ip',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'origin',
  'proxy-authorization',
  'proxy-connection',
  'referer',
  'session-id',
  'session_id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'x-api-key',
  'x-claude-code-agent-id',
  'x-claude-code-parent-agent-id',
  'x-claude-code-session-id',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-goog-api-key',
  'x-multi-turn-session-id',
  'x-prompt-cache-isolation-key',
  'x-real-ip',
  'x-request-id',
  'x-session-affinity',
  'x-session-id',
])
/** With our credential these would name an account that is not the credential's. */
const ofTheAccount = new Set(['openai-organization', 'openai-project', 'anthropic-workspace-id'])
const ownPrefixes = ['x-incipit-', 'sec-', 'cf-access-']

/** A trace of ours with the client's state would be half of each. */
const traceNames = ['traceparent', 'tracestate']

/** Required by the API: the version whose bodies are written here, for requests of clients that name none. */
const anthropicVersion = '2023-06-01'

export interface HeadersInput {
  readonly who: Identified
  readonly target: UpstreamTarget
  /** The dialect spoken with the upstream. */
  readonly spoken: DialectName
  readonly isolation: { readonly name: string; readonly value: string } | undefined
  /** Headers that continue a trace there, in place of the client's; none = the client's go on. */
  readonly trace: readonly string[]
}

/** The headers of one attempt: names and values in turn. */
export function upstreamHeaders({ who, target, spoken, isolation, trace }: HeadersInput): string[] {
  const { upstream } = target
  const headers = ['content-type', 'application/json', 'accept-encoding', 'identity', ...authHeaders(who, upstream)]
  const ofClient = upstream.settings.credentials === 'client'
  const foreign = spoken === who.prompt.dialect ? undefined : familyOf(who.prompt.dialect)
  const affinity = upstream.settings.affinityHeader ?? upstream.kind.affinityHeader
  const set = setNames(upstream, affinity, isolation?.name, ...(trace.length === 0 ? [] : traceNames))
  passOn(who.request, headers, { ofClient, foreign, set })
  if (
    spoken === 'anthropic-messages' &&
    (foreign !== undefined || who.request.headers['anthropic-version'] === undefined)
  ) {
    headers.push('anthropic-version', anthropicVersion)
  }
  // Without us only what a client sends itself would hold its requests together.
  const holds = affinity !== undefined && (!who.control || who.request.headers[affinity] !== undefined)
  if (holds) headers.push(affinity, who.session)
  if (isolation !== undefined) headers.push(isolation.name, isolation.value)
  headers.push(...trace)
  for (const [name, value] of Object.entries(upstream.settings.headers)) headers.push(name, value)
  return headers
}

/** Names whose values are set here, and not the client's to say: many servers take the first of two. */
function setNames(upstream: Upstream, ...more: readonly (string | undefined)[]): ReadonlySet<string> {
  const names = [...Object.keys(upstream.settings.headers), ...more.filter((name) => name !== undefined)]
  return new Set(names.map((name) => name.toLowerCase()))
}

/**
 * The headers of a request about what an upstream keeps, such as a stored answer: as the client sent them, with
 * the credential and the further headers of the upstream.
 * @example resourceHeaders({ request, caller }, upstream)
 */
export function resourceHeaders(
  { request, caller }: Pick<Identified, 'request' | 'caller'>,
  upstream: Upstream,
): string[] {
  const session = sessionId('')
  const headers = ['accept-encoding', 'identity', ...authHeaders({ caller, session }, upstream)]
  const ofClient = upstream.settings.credentials === 'client'
  passOn(request, headers, { ofClient, foreign: undefined, set: setNames(upstream) })
  for (const [name, value] of Object.entries(upstream.settings.headers)) headers.push(name, value)
  return headers
}

/** Headers that only the family of the client's dialect understands do not go to an upstream of another one. */
function familyOf(dialect: DialectName): string {
  return dialect === 'anthropic-messages' ? 'anthropic-' : 'openai-'
}

interface PassRules {
  readonly ofClient: boolean
  /** What headers of the client's family begin with, where the upstream is of another. */
  readonly foreign: string | undefined
  /** Names that are set for the upstream. */
  readonly set: ReadonlySet<string>
}

function passOn(request: IncomingMessage, headers: string[], { ofClient, foreign, set }: PassRules): void {
  const { rawHeaders } = request
  const ofHop = hopHeaders(request)
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    if (endHere.has(name) || ownPrefixes.some((prefix) => name.startsWith(prefix))) continue
    if (set.has(name) || ofHop.includes(name)) continue
    if (!ofClient && ofTheAccount.has(name)) continue
    if (foreign !== undefined && name.startsWith(foreign)) continue
    headers.push(name, rawHeaders[i + 1] ?? '')
  }
}

/** Names that `connection` lists are of the hop, too. */
function hopHeaders({ headers }: IncomingMessage): readonly string[] {
  const { connection } = headers
  if (connection === undefined || connection === 'keep-alive') return []
  return connection.split(',').map((name) => name.trim().toLowerCase())
}

/**
 * What an upstream is shown as credential: its configured key, or the caller's own.
 * @throws IncipitError `missing_key` where the caller's is wanted and there is none
 */
export function authHeaders(who: Pick<Identified, 'caller' | 'session'>, upstream: Upstream): string[] {
  if (upstream.settings.credentials === 'client') {
    const { credential } = who.caller
    if (credential === undefined) {
      const message = `upstream "${upstream.name}" is called with the caller's own key, and none came; a key of this gateway is none, and goes into "x-incipit-key" beside it`
      throw new IncipitError('missing_key', message)
    }
    return credential.header === 'authorization'
      ? ['authorization', `Bearer ${credential.value}`]
      : ['x-api-key', credential.value]
  }
  const credential = credentialFor(upstream, who.caller.org, who.session)
  if (credential === undefined) return []
  return upstream.kind.auth === 'x-api-key'
    ? ['x-api-key', credential.key]
    : ['authorization', `Bearer ${credential.key}`]
}
