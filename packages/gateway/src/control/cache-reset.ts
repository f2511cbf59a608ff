import type { ResetReport } from '@incipit/engine'
import { IsolationScope, orgId } from '@incipit/core'
import { z } from 'zod'
import { requireAdmin } from '../authenticate/authenticate.ts'
import { requireEngine } from '../call/require-engine.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import { controlBody } from './control-body.ts'
import { modelNamed } from './models.ts'

const resetSchema = z.strictObject({
  model: z.string().optional(),
  upstream: z.literal('engine').optional(),
  scope: z.strictObject({ org: z.string(), isolation_key: z.string().optional() }).optional(),
})

/**
 * `POST /v1/cache/reset`: drops cached prefixes in every tier and says how much. Fields select, all of
 * them together; without any, everything goes. Admins only.
 */
export async function resetCache(exchange: Exchange, house: House): Promise<void> {
  requireAdmin(house.keys.authenticate(exchange.request))
  const { model, scope } = await controlBody(exchange.request, resetSchema)
  const replicas = model === undefined ? [undefined] : modelNamed(model, house).replicas
  const scopePrefix =
    scope === undefined
      ? undefined
      : IsolationScope.prefixOf({ org: orgId(scope.org), isolationKey: scope.isolation_key }, house)
  const engine = requireEngine(house)
  const reports = await Promise.all(replicas.map((replica) => engine.reset({ model: replica, scopePrefix })))
  sendJson(exchange.response, 200, JSON.stringify({ dropped: addReports(reports) }))
}

/** Sums of several reports, with snake_case names. */
export function addReports(reports: readonly ResetReport[]): Record<string, number> {
  const sum = (field: keyof ResetReport): number => reports.reduce((total, report) => total + report[field], 0)
  return {
    hot_tokens: sum('hotTokens'),
    ram_tokens: sum('ramTokens'),
    disk_tokens: sum('diskTokens'),
    bytes: sum('bytes'),
  }
}
