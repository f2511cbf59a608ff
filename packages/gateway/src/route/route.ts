import type { LocalRules, SessionId } from '@incipit/core'
import { IncipitError, pickReplica } from '@incipit/core'
import type { Replica, Upstream } from '../upstreams/upstream.ts'
import { replicasFor } from '../upstreams/upstream.ts'
import { scopedTable } from './scoped-table.ts'

/** Longest name of a model, in UTF-16 units. */
export const maxModelLength = 256

/** One local model: instances of equal weights, each with a KV state of its own. */
export interface ServedModel {
  readonly upstream: 'engine'
  readonly name: string
  /** Globs of further names it answers to; `*` matches any characters. */
  readonly aliases: readonly string[]
  /** Whose rules its cache is counted by. */
  readonly rules: LocalRules
  readonly replicas: readonly string[]
}

/** An instance of a local model. */
export interface EngineTarget {
  readonly kind: 'engine'
  readonly model: string
  readonly replica: string
  readonly rules: LocalRules
}

/** A replica of an upstream, and the model as that upstream calls it. */
export interface UpstreamTarget {
  readonly kind: 'upstream'
  readonly upstream: Upstream
  readonly model: string
  readonly replica: Replica
}

/** Where a request went, or is about to go. */
export type Target = EngineTarget | UpstreamTarget

/** Where a request may go: one local instance, or replicas of upstreams in the order to be tried. */
export type Route =
  | { readonly kind: 'engine'; readonly target: EngineTarget }
  | { readonly kind: 'upstreams'; readonly targets: readonly UpstreamTarget[] }

/** The routing table: what is served, and whether unclaimed names are refused. */
export interface RouteTable {
  readonly models: readonly ServedModel[]
  /** In order of preference. */
  readonly upstreams: readonly Upstream[]
  readonly strictModels: boolean
}

/** Who asks, as far as it matters for where a request may go. */
export interface RouteAsker {
  readonly session: SessionId
  /** The caller came with a provider's key of its own, not with one of the gateway's. */
  readonly ownCredential: boolean
  /** Names of upstreams that its key may reach; `undefined` = all. */
  readonly upstreams?: readonly string[] | undefined
}

/**
 * Picks where a model is served: a local model of exactly this name first; then every upstream that claims it,
 * in order of the configuration, unless a local alias claims it more closely; then a local alias, then - unless `strictModels` - the first local model.
 * One session always leads to one replica (CF-3).
 *
 * No name at all leads to an upstream that keeps templates and answers: those may say the model.
 *
 * @throws IncipitError `unknown_model`, `engine_unavailable`, `invalid_request`, `missing_field`, `out_of_scope`
 * @example route('@cf/moonshotai/kimi-k2.5', { session, ownCredential: false }, table)
 */
export function route(model: string, asker: RouteAsker, table: RouteTable): Route {
  checkModelName(model)
  if (asker.upstreams === undefined) return routeIn(model, asker, table)
  try {
    return routeIn(model, asker, scopedTable(table, asker.upstreams))
  } catch (error) {
    // What nobody serves is no matter of scopes: that says so itself.
    routeIn(model, asker, table)
    const reached = asker.upstreams.join(', ')
    const message = `model "${shown(model)}" is not served by what the key may reach: ${reached}`
    throw new IncipitError('out_of_scope', message, { param: '/model', cause: error })
  }
}

function routeIn(model: string, asker: RouteAsker, table: RouteTable): Route {
  if (model === '') return unnamedRoute(asker, table)
  const exact = table.models.find((served) => served.name === model)
  if (exact !== undefined && !asker.ownCredential) return engineRoute(exact, asker.session)
  const claiming = claimants(model, asker.ownCredential, table)
  if (claiming.length > 0) {
    return { kind: 'upstreams', targets: claiming.flatMap((upstream) => targetsOf(upstream, model, asker.session)) }
  }
  if (asker.ownCredential) throw unreachableModel(model, table)
  return engineRoute(findModel(model, table), asker.session)
}

/** @throws IncipitError `unknown_model`, `engine_unavailable` */
export function findModel(model: string, table: RouteTable): ServedModel {
  const found =
    table.models.find((served) => served.name === model) ??
    table.models.find((served) => served.aliases.some((alias) => matchesGlob(alias, model))) ??
    (table.strictModels ? undefined : table.models[0])
  if (found !== undefined) return found
  if (table.models.length === 0 && table.upstreams.length === 0) {
    throw new IncipitError('engine_unavailable', 'no model is served here')
  }
  throw unknownModel(model, table)
}

/** @example matchesGlob('@cf/*', '@cf/moonshotai/kimi-k2.5') // true */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split('*')
  const first = parts[0] ?? ''
  if (parts.length === 1) return glob === text
  const last = parts[parts.length - 1] ?? ''
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= text.length - last.length
}

/** Who claims a name, by table: the same few names come again and again. */
const remembered = new WeakMap<RouteTable, Map<string, readonly Upstream[]>>()
const mostRemembered = 1_000

/** The upstreams that claim a name, in order; none where a local alias claims it more closely. */
function claimants(model: string, ownCredential: boolean, table: RouteTable): readonly Upstream[] {
  const names = remembered.get(table) ?? new Map<string, readonly Upstream[]>()
  remembered.set(table, names)
  const name = `${ownCredential ? 'own' : 'ours'} ${model}`
  const known = names.get(name)
  if (known !== undefined) return known
  const claiming = table.upstreams.filter(
    (upstream) => mayReach(upstream, ownCredential) && claimOf(upstream, model) >= 0,
  )
  const found = !ownCredential && engineClaimsMore(model, claiming, table) ? [] : claiming
  if (names.size >= mostRemembered) names.clear()
  names.set(name, found)
  return found
}

/** How closely an upstream claims a name: the letters its best glob spells out; -1 where it does not. */
function claimOf({ settings }: Upstream, model: string): number {
  return Object.hasOwn(settings.modelNames, model) ? model.length : closest(settings.models, model)
}

/** A local alias that says more of the name wins: `@cf/*` keeps what an upstream takes by a mere `*`. */
function engineClaimsMore(model: string, upstreams: readonly Upstream[], table: RouteTable): boolean {
  const aliases = table.models.flatMap((served) => served.aliases)
  return closest(aliases, model) > Math.max(...upstreams.map((upstream) => claimOf(upstream, model)))
}

function closest(globs: readonly string[], model: string): number {
  const matching = globs.filter((glob) => matchesGlob(glob, model))
  return Math.max(-1, ...matching.map((glob) => glob.replaceAll('*', '').length))
}

/** A caller with a credential of its own reaches what takes it; keys of the gateway reach the rest, and both where both are sent. */
function mayReach({ settings }: Upstream, ownCredential: boolean): boolean {
  return settings.credentials === 'client' || !ownCredential
}

function unnamedRoute(asker: RouteAsker, { upstreams }: RouteTable): Route {
  const able = upstreams.filter((upstream) => {
    const keeps = upstream.kind.resources && upstream.speaks.includes('openai-responses')
    return keeps && mayReach(upstream, asker.ownCredential) && claimOf(upstream, '') >= 0
  })
  if (able.length === 0) throw new IncipitError('missing_field', '/model is missing or null', { param: '/model' })
  return { kind: 'upstreams', targets: able.flatMap((upstream) => targetsOf(upstream, '', asker.session)) }
}

function targetsOf(upstream: Upstream, model: string, session: SessionId): UpstreamTarget[] {
  const { modelNames } = upstream.settings
  const called = Object.hasOwn(modelNames, model) ? (modelNames[model] ?? model) : model
  return replicasFor(upstream, session).map((replica) => ({ kind: 'upstream', upstream, model: called, replica }))
}

function engineRoute(served: ServedModel, session: SessionId): Route {
  const replica = served.replicas[pickReplica(session, served.replicas)]
  if (replica === undefined) throw new IncipitError('engine_unavailable', `model "${served.name}" has no replica`)
  return { kind: 'engine', target: { kind: 'engine', model: served.name, replica, rules: served.rules } }
}

function unknownModel(model: string, table: RouteTable): IncipitError {
  const known = [
    ...table.models.flatMap((served) => [served.name, ...served.aliases]),
    ...table.upstreams.flatMap(namesOf),
  ]
  const message = `model "${shown(model)}" is not known here; known: ${known.join(', ')}`
  return new IncipitError('unknown_model', message, { param: '/model' })
}

/** A mistyped key of the gateway looks like a caller's own: the answer has to say so, or it names a model that it refuses. */
function unreachableModel(model: string, { upstreams }: RouteTable): IncipitError {
  const reached = upstreams.filter((upstream) => mayReach(upstream, true)).flatMap(namesOf)
  const message = `model "${shown(model)}" is not served to a key that is none of this gateway's; such a key reaches: ${reached.join(', ')}`
  return new IncipitError('unknown_model', message, { param: '/model' })
}

function namesOf({ settings }: Upstream): string[] {
  return [...Object.keys(settings.modelNames), ...settings.models]
}

/** A model's name stands in every chunk of an answer and in the ledger: it is bounded. */
function checkModelName(model: string): void {
  if (model.length > maxModelLength) {
    const message = `model has ${model.length} characters, ${maxModelLength} are allowed`
    throw new IncipitError('invalid_request', message, { param: '/model' })
  }
  if (/[\p{Cc}\p{Cs}]/u.test(model)) {
    throw new IncipitError('invalid_request', 'model has a control character or half a character', { param: '/model' })
  }
}

function shown(model: string): string {
  return model.length > 120 ? `${model.slice(0, 120)}...` : model
}
