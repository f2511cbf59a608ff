import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'

/** `GET /health/liveness`: the process answers. No key, no dependency is asked. */
export async function liveness(exchange: Exchange): Promise<void> {
  sendJson(exchange.response, 200, JSON.stringify({ status: 'alive' }))
}

/** `GET /health/readiness`: 200 when prompts can be served, 503 while draining, while the engine restarts, or without a model. Never calls a model. */
export async function readiness(exchange: Exchange, house: House, closing: boolean): Promise<void> {
  const engine =
    house.engine === undefined ? (house.engineMissing ?? 'not configured') : house.engine.ready ? 'ready' : 'restarting'
  const status = statusOf(house, closing)
  sendJson(exchange.response, status === 'ready' ? 200 : 503, JSON.stringify({ status, engine }))
}

function statusOf(house: House, closing: boolean): string {
  if (closing) return 'shutting_down'
  if (house.routes.models.length === 0 && house.routes.upstreams.length === 0) return 'no_model'
  if (house.routes.upstreams.length > 0) return 'ready'
  return house.engine?.ready === false ? 'engine_restarting' : 'ready'
}
