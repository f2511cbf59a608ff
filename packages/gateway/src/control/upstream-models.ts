import { sessionId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import { authHeaders } from '../plan/upstream-headers.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { isPlainPart } from './plain-part.ts'

/** How long a listing is taken for true. */
const keptMs = 60_000
/** How long one that did not answer is left alone. */
const silentMs = 5_000
/** Some clients give a listing three seconds in all. */
const patienceMs = 2_000
const longestListing = 4 * 2 ** 20

interface Kept {
  readonly until: number
  readonly ids: Promise<readonly string[]>
}

const kept = new WeakMap<Upstream, Map<string, Kept>>()

/**
 * The ids an upstream lists, remembered for a minute. One that does not answer in time lists nothing.
 * @example await upstreamModels(upstream, caller, house)
 */
export async function upstreamModels(upstream: Upstream, caller: Caller, house: House): Promise<readonly string[]> {
  const lists = kept.get(upstream) ?? new Map<string, Kept>()
  kept.set(upstream, lists)
  // Callers with credentials of their own may see other models.
  const whose = upstream.settings.credentials === 'client' ? caller.org : ''
  const known = lists.get(whose)
  if (known !== undefined && known.until > house.clock.monotonic()) return known.ids
  const keep = (ids: Promise<readonly string[]>, forMs: number): void => {
    if (lists.size > 1_000) lists.clear()
    lists.set(whose, { until: house.clock.monotonic() + forMs, ids })
  }
  const ids = ask(upstream, caller).catch(() => {
    keep(Promise.resolve([]), silentMs)
    return []
  })
  keep(ids, keptMs)
  return ids
}

/**
 * The id by which an upstream knows a model, asked for by that id or by an alias.
 * @returns undefined where it knows none, is not asked, or does not answer in time
 * @example await findUpstreamModel('claude-opus-4-5', upstream, caller) // 'claude-opus-4-5-20251101'
 */
export async function findUpstreamModel(id: string, upstream: Upstream, caller: Caller): Promise<string | undefined> {
  const parts = id.split('/')
  if (!parts.every(isPlainPart)) return undefined
  const model = await findJson(`/models/${parts.map(encodeURIComponent).join('/')}`, upstream, caller).catch(
    () => undefined,
  )
  return idOf(model)
}

async function ask(upstream: Upstream, caller: Caller): Promise<readonly string[]> {
  const query = upstream.kind.auth === 'x-api-key' ? '?limit=1000' : ''
  return idsOf(await findJson(`/models${query}`, upstream, caller))
}

/** The JSON at a path of the upstream; `undefined` where it has none there. */
async function findJson(path: string, upstream: Upstream, caller: Caller): Promise<unknown> {
  const [replica] = upstream.replicas
  if (replica === undefined || upstream.settings.kind === 'workers-ai') return undefined
  const { endpoint, transport } = replica
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(new Error('the listing took too long')), patienceMs)
  try {
    const headers = ['accept-encoding', 'identity', ...authHeaders({ caller, session: sessionId('') }, upstream)]
    if (upstream.kind.auth === 'x-api-key') headers.push('anthropic-version', '2023-06-01')
    const whole = `${endpoint.root}${endpoint.version}${path}`
    const answer = await transport.send({ method: 'GET', path: whole, headers, body: [] }, abort.signal)
    const json: unknown = JSON.parse((await answer.bytes(longestListing)).toString('utf8'))
    return answer.status < 300 ? json : undefined
  } finally {
    clearTimeout(timer)
  }
}

function idsOf(listing: unknown): string[] {
  const data: unknown = typeof listing === 'object' && listing !== null && 'data' in listing ? listing.data : undefined
  if (!Array.isArray(data)) return []
  return data.map(idOf).filter((id) => id !== undefined)
}

function idOf(entry: unknown): string | undefined {
  const id: unknown = typeof entry === 'object' && entry !== null && 'id' in entry ? entry.id : undefined
  return typeof id === 'string' ? id : undefined
}
