import type { EnginePin } from '@incipit/engine'
import { IncipitError } from '@incipit/core'
import type { OrgId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import { requireEngine } from '../call/require-engine.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { ControlQuery } from './control-query.ts'
import { engineScopes, opaqueId } from './engine-scopes.ts'
import type { JsonView } from './json-view.ts'
import { modelNamed } from './models.ts'

/** What `GET /v1/pins` can be asked with. */
export const pinParameters = ['org', 'model', 'limit'] as const

const limits = { least: 1, most: 1_000, otherwise: 100 }

/**
 * `GET /v1/pins`: prefixes that clients asked the local engine to keep, of what the caller may see; those that expire
 * soonest first.
 */
export async function listPins(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const query = new ControlQuery(exchange.url.searchParams, pinParameters)
  const limit = query.wholeNumber('limit', limits)
  const model = query.find('model')
  const replicas = model === undefined ? undefined : modelNamed(model, house).replicas
  const { pins, orgOf } = await pinsOf(query.find('org'), caller, house)
  const asked = pins
    .filter((pin) => replicas?.includes(pin.model) ?? true)
    .sort((left, right) => left.expiresAt - right.expiresAt)
  const data = asked.slice(0, limit).map((pin) => pinView(pin, orgOf(pin.scopeKey), house))
  const view: JsonView = { object: 'list', total: asked.length, truncated: data.length < asked.length, data }
  sendJson(exchange.response, 200, JSON.stringify(view))
}

/**
 * `DELETE /v1/pins/{id}`: what it kept is evicted like anything else from now on. A member ends those of its own
 * organisation.
 */
export async function removePin(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const id = exchange.params['id'] ?? ''
  const { pins } = await pinsOf(undefined, caller, house)
  const pin = pins.find((one) => idOf(one, house) === id)
  const removed = pin !== undefined && (await requireEngine(house).unpin(pin))
  if (!removed) throw new IncipitError('not_found', 'there is no pin with this id', { param: 'id' })
  house.log.info({ pin_id: id, model: pin.model, by: caller.keyName }, 'a pin was removed')
  sendJson(exchange.response, 200, JSON.stringify({ object: 'pin', id, deleted: true }))
}

interface SeenPins {
  readonly pins: readonly EnginePin[]
  readonly orgOf: (scopeKey: string) => OrgId | undefined
}

async function pinsOf(org: string | undefined, caller: Caller, house: House): Promise<SeenPins> {
  const { prefix, orgOf } = await engineScopes(org, { caller, house, what: 'pins' })
  return { pins: await requireEngine(house).pins(prefix), orgOf }
}

function pinView(pin: EnginePin, org: OrgId | undefined, house: House): JsonView {
  return {
    id: idOf(pin, house),
    model: pin.model,
    org: org ?? null,
    tokens: pin.tokens,
    ttl_ms: pin.ttlMs,
    pinned_at: new Date(pin.pinnedAt).toISOString(),
    expires_at: new Date(pin.expiresAt).toISOString(),
    expires_in_ms: Math.max(0, pin.expiresAt - house.clock.now()),
    reads: pin.reads,
  }
}

/** The engine's own names of pins hold scope keys, which nobody is told. */
function idOf({ model, scopeKey, id }: EnginePin, house: House): string {
  return `pin_${opaqueId(['pin', model, scopeKey, id], house)}`
}
