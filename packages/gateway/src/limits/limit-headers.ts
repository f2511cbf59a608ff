import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { Standing } from './admission.ts'

/** As OpenAI names them; an upstream's own win. */
const commonPrefix = 'x-ratelimit-'
const prefixes = ['x-incipit-ratelimit-', commonPrefix]

/**
 * Says how limits of ours stand. Of several, that of which least is left. Under our own names always, under those
 * of OpenAI until an upstream's answer has some.
 *
 * @example showStandings(response, admission.standings, house.clock.now())
 */
export function showStandings(response: ServerResponse, standings: readonly Standing[], now: number): void {
  for (const what of ['requests', 'tokens'] as const) {
    const [least] = standings.filter((standing) => standing.what === what).sort((a, b) => leftOf(a) - leftOf(b))
    if (least === undefined) continue
    for (const prefix of prefixes) {
      response.setHeader(`${prefix}limit-${what}`, String(least.limit))
      response.setHeader(`${prefix}remaining-${what}`, String(leftOf(least)))
      response.setHeader(`${prefix}reset-${what}`, `${Math.max(0, Math.ceil((least.endsAt - now) / 1_000))}s`)
    }
  }
}

/** Takes the common names back where the upstream speaks of limits by them: two accounts would be mixed. */
export function yieldToUpstream(response: ServerResponse, headers: IncomingHttpHeaders): void {
  if (!response.hasHeader(`${commonPrefix}limit-requests`) && !response.hasHeader(`${commonPrefix}limit-tokens`)) return
  if (!Object.keys(headers).some((name) => name.startsWith(commonPrefix))) return
  for (const name of response.getHeaderNames()) if (name.startsWith(commonPrefix)) response.removeHeader(name)
}

function leftOf({ limit, used }: Standing): number {
  return Math.max(0, limit - used)
}
