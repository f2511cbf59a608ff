import { IncipitError } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import { requireModel } from '../authenticate/require-model.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { header, sendJson } from '../http/exchange.ts'
import { allScopes, mayUseModel, mayUseUpstream } from '../keys/scopes.ts'
import type { ServedModel } from '../route/route.ts'
import { findModel, matchesGlob } from '../route/route.ts'
import { scopedTable } from '../route/scoped-table.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { findUpstreamModel, upstreamModels } from './upstream-models.ts'

/** A model that clients can name. */
interface ListedModel {
  readonly id: string
  readonly owner: string
  /** Of local models: more than their name. */
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * `GET /v1/models`: local models, names the configuration gives, and what upstreams list themselves. In the
 * shape of OpenAI's listing; with an `anthropic-version` header in that of Anthropic's.
 */
export async function listModels(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request, 'any')
  const local = localModels(caller, house)
  // As requests go: to local models by their names, then to upstreams in order, then by an alias.
  const models = [...local.names, ...(await ofUpstreams(caller, house)), ...local.aliases]
  const scopes = caller.grant?.scopes ?? allScopes
  const usable = models.filter(({ id }) => mayUseModel(scopes, id))
  const unique = new Map<string, ListedModel>()
  for (const model of usable) if (!unique.has(model.id)) unique.set(model.id, model)
  const render = isAnthropic(exchange) ? anthropicListing : openaiListing
  sendJson(exchange.response, 200, JSON.stringify(render([...unique.values()])))
}

/** `GET /v1/models/{id}` */
export async function showModel(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request, 'any')
  const id = exchange.params['id'] ?? ''
  requireModel(caller, id)
  const model =
    localModels(caller, house).names.find((named) => named.id === id) ??
    (await ofUpstreams(caller, house)).find((listed) => listed.id === id) ??
    (isLocal(id, caller, house) ? undefined : await findUnlisted(id, caller, house)) ??
    localModel(id, caller, house)
  sendJson(exchange.response, 200, JSON.stringify(isAnthropic(exchange) ? anthropicModel(model) : openaiModel(model)))
}

/** @throws IncipitError `unknown_model`; unlike routing, nothing is served by default here */
export function modelNamed(name: string, house: House): ServedModel {
  const served = house.routes.models.find((model) => model.name === name)
  if (served !== undefined) return served
  const known = house.routes.models.map((model) => model.name).join(', ')
  throw new IncipitError('unknown_model', `model "${name.slice(0, 120)}" is not served here; served: ${known}`, {
    param: '/model',
  })
}

/** Local models by their names, and by aliases that are no globs: whose an alias is, the order says. */
function localModels(caller: Caller, house: House): Record<'names' | 'aliases', ListedModel[]> {
  if (!reachesEngine(caller)) return { names: [], aliases: [] }
  const { routes } = house
  const aliases = routes.models.flatMap((served) => served.aliases.filter((alias) => !alias.includes('*')))
  return {
    names: routes.models.map((served) => describe(served.name, served, house)),
    aliases: aliases.map((id) => describe(id, findModel(id, routes), house)),
  }
}

function localModel(id: string, { grant }: Caller, house: House): ListedModel {
  const { upstreams } = grant?.scopes ?? allScopes
  const table = upstreams === undefined ? house.routes : scopedTable(house.routes, upstreams)
  return describe(id, findModel(id, { ...table, strictModels: true }), house)
}

function reachesEngine({ ownCredential, grant }: Caller): boolean {
  return !ownCredential && mayUseUpstream(grant?.scopes ?? allScopes, 'engine')
}

function isLocal(id: string, caller: Caller, { routes }: House): boolean {
  if (!reachesEngine(caller)) return false
  return routes.models.some(({ name, aliases }) => [name, ...aliases].some((glob) => matchesGlob(glob, id)))
}

/** What no list names and an upstream knows all the same: an alias of a dated name, a model of one's own. */
async function findUnlisted(id: string, caller: Caller, house: House): Promise<ListedModel | undefined> {
  const claiming = reachableBy(caller, house).filter(({ settings }) => {
    return settings.models.some((name) => name.includes('*') && matchesGlob(name, id))
  })
  for (const upstream of claiming) {
    const found = await findUpstreamModel(id, upstream, caller)
    if (found !== undefined) return { id: found, owner: upstream.name, details: {} }
  }
  return undefined
}

function reachableBy(caller: Caller, house: House): Upstream[] {
  const scopes = caller.grant?.scopes ?? allScopes
  return house.routes.upstreams.filter(
    ({ name, settings }) =>
      (settings.credentials === 'client' || !caller.ownCredential) && mayUseUpstream(scopes, name),
  )
}

async function ofUpstreams(caller: Caller, house: House): Promise<ListedModel[]> {
  const lists = await Promise.all(
    reachableBy(caller, house).map(async (upstream): Promise<ListedModel[]> => {
      const { models, modelNames } = upstream.settings
      const named = [...Object.keys(modelNames), ...models.filter((name) => !name.includes('*'))]
      const listed = models.some((name) => name.includes('*')) ? await upstreamModels(upstream, caller, house) : []
      const claimed = listed.filter((id) => models.some((glob) => matchesGlob(glob, id)))
      return [...named, ...claimed].map((id) => ({ id, owner: upstream.name, details: {} }))
    }),
  )
  return lists.flat()
}

function describe(id: string, served: ServedModel, house: House): ListedModel {
  const info = house.engine?.models.find((model) => model.name === served.replicas[0])
  const incipit = {
    served_by: served.name,
    aliases: served.aliases,
    replicas: served.replicas,
    context_tokens: info?.contextTokens ?? null,
    parameters: info?.parameters ?? null,
    synthetic: info?.synthetic ?? null,
    flash_attention: info?.flashAttention ?? null,
    file_sha256: info?.fileHash ?? null,
  }
  return { id, owner: served.upstream, details: { incipit } }
}

function isAnthropic({ request }: Exchange): boolean {
  return header(request, 'anthropic-version') !== undefined
}

function openaiListing(models: readonly ListedModel[]): unknown {
  return { object: 'list', data: models.map(openaiModel) }
}

function openaiModel({ id, owner, details }: ListedModel): unknown {
  return { id, object: 'model', created: 0, owned_by: owner, ...details }
}

function anthropicListing(models: readonly ListedModel[]): unknown {
  const data = models.map(anthropicModel)
  return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null }
}

/** No upstream tells when a model was made in a way that all do: the epoch stands for not known. */
function anthropicModel({ id }: ListedModel): unknown {
  return { type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' }
}
