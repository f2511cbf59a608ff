import { z } from 'zod'
import { requireAdmin } from '../authenticate/authenticate.ts'
import { requireEngine } from '../call/require-engine.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { addReports } from './cache-reset.ts'
import { controlBody } from './control-body.ts'
import { modelNamed } from './models.ts'

const snapshotSchema = z.strictObject({
  model: z.string(),
  reset_prompt_cache: z.enum(['all', 'none', 'new_session']).default('all'),
})

/**
 * `POST /v1/snapshots`: a new snapshot of a model's weights is in place. `all` drops its cached
 * prefixes, `new_session` keeps them for sessions already running, `none` keeps them for all (F-4).
 */
export async function publishSnapshot(exchange: Exchange, house: House): Promise<void> {
  requireAdmin(house.keys.authenticate(exchange.request))
  const { model, reset_prompt_cache: reset } = await controlBody(exchange.request, snapshotSchema)
  const served = modelNamed(model, house)
  const snapshot = house.snapshots.publish(served.name, reset)
  await house.snapshots.save()
  const dropped =
    reset === 'all' ? served.replicas.map((replica) => requireEngine(house).reset({ model: replica })) : []
  const report = addReports(await Promise.all(dropped))
  sendJson(
    exchange.response,
    200,
    JSON.stringify({ model: served.name, snapshot, reset_prompt_cache: reset, dropped: report }),
  )
}
