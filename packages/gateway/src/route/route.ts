import type { SessionId } from '@incipit/core'
import { IncipitError, pickReplica } from '@incipit/core'

/** Longest name of a model, in UTF-16 units. */
export const maxModelLength = 256

/** One model some upstream serves: replicas of equal weights, each with a KV state of its own. */
export interface ServedModel {
  readonly upstream: string
  readonly name: string
  /** Globs of further names it answers to; `*` matches any characters. */
  readonly aliases: readonly string[]
  readonly replicas: readonly string[]
}

/** Where a request goes. */
export interface Target {
  readonly upstream: string
  readonly model: string
  readonly replica: string
}

/** The routing table: what is served, and whether unclaimed names are refused. */
export interface RouteTable {
  readonly models: readonly ServedModel[]
  readonly strictModels: boolean
}

/**
 * Picks model and replica: an exact name first, then aliases in order, then - unless `strictModels` -
 * the first model takes whatever nothing claims. One session always leads to one replica (CF-3).
 *
 * @throws IncipitError `unknown_model`, `engine_unavailable`, `invalid_request`
 * @example route('@cf/moonshotai/kimi-k2.5', session, table)
 */
export function route(model: string, session: SessionId, table: RouteTable): Target {
  checkModelName(model)
  const served = findModel(model, table)
  const replica = served.replicas[pickReplica(session, served.replicas)]
  if (replica === undefined) throw new IncipitError('engine_unavailable', `model "${served.name}" has no replica`)
  return { upstream: served.upstream, model: served.name, replica }
}

/** @throws IncipitError `unknown_model`, `engine_unavailable` */
export function findModel(model: string, table: RouteTable): ServedModel {
  const found =
    table.models.find((served) => served.name === model) ??
    table.models.find((served) => served.aliases.some((alias) => matchesGlob(alias, model))) ??
    (table.strictModels ? undefined : table.models[0])
  if (found !== undefined) return found
  if (table.models.length === 0) throw new IncipitError('engine_unavailable', 'no model is served here')
  const known = table.models.flatMap((served) => [served.name, ...served.aliases])
  throw new IncipitError('unknown_model', `model "${shown(model)}" is not known here; known: ${known.join(', ')}`, {
    param: '/model',
  })
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
