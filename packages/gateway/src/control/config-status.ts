import { requireAdmin } from '../authenticate/authenticate.ts'
import type { ConfigReloader } from '../config/reload-config.ts'
import type { ReloadReport } from '../config/reload-report.ts'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'

/** What the configuration routes look at. */
export interface ConfigDesk {
  readonly house: House
  readonly reloader: ConfigReloader
  readonly report: ReloadReport
}

/** `GET /v1/config/status`: which configuration is in effect, and why a newer one is not. Admins only. */
export async function showConfigStatus(exchange: Exchange, desk: ConfigDesk): Promise<void> {
  requireAdmin(desk.house.keys.authenticate(exchange.request))
  sendJson(exchange.response, 200, JSON.stringify(statusOf(desk)))
}

/**
 * `POST /admin/reload`: reads the configuration now. 200 with `outcome` `applied` or `unchanged`, 422 with
 * `refused`; all three say what is in effect. Admins only.
 */
export async function reloadNow(exchange: Exchange, desk: ConfigDesk): Promise<void> {
  requireAdmin(desk.house.keys.authenticate(exchange.request))
  const result = await desk.reloader.reload('request')
  const body = JSON.stringify({ outcome: result.kind, ...statusOf(desk) })
  sendJson(exchange.response, result.kind === 'refused' ? 422 : 200, body)
}

function statusOf({ reloader, report }: ConfigDesk): Record<string, unknown> {
  const { generation, hash, file, upstreams, discovered } = reloader.config
  const { failure, needRestart, loadedAt } = report
  return {
    generation,
    hash,
    file: file ?? null,
    loaded_at: new Date(loadedAt).toISOString(),
    takes_effect_after_restart: needRestart,
    upstreams: upstreams.map(({ name, kind, models }) => ({ name, kind, models, from: sourceOf(name, discovered) })),
    error: failure === undefined ? null : { at: new Date(failure.at).toISOString(), message: failure.error },
  }
}

function sourceOf(name: string, discovered: ConfigReloader['config']['discovered']): string {
  return discovered.find((source) => source.name === name)?.variables.join(', ') ?? 'file'
}
