import { expect } from 'vitest'
import type { RecordingUpstream, SentRequest } from '../recording-upstream.ts'
import type { Json } from './sent-body.ts'
import { jsonOf } from './sent-body.ts'
import type { MatrixTarget, Source } from './targets.ts'
import { modelOf, pathFor } from './targets.ts'

/** What became of one request: the bytes sent, and what the gateway says of them. */
export interface Asked {
  readonly sent: SentRequest
  readonly json: Json
  /** `code: where`, as the ledger has them. */
  readonly warnings: readonly string[]
  readonly edits: readonly string[]
}

/** Asks through the gateway; the header's warnings have to be those of the ledger. */
export type Ask = (source: Source, target: MatrixTarget, body: string) => Promise<Asked>

/** @example const ask = asker(gateway.url, upstream) */
export function asker(url: string, upstream: RecordingUpstream): Ask {
  let count = 0
  return async (source, target, body) => {
    const mine = String(count++)
    const response = await fetch(`${url}${pathFor(source, modelOf(target))}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-test-case': mine },
      body,
    })
    const answer = await response.text()
    const sent = upstream.requests.find(({ headers }) => headers['x-test-case'] === mine)
    if (response.status !== 200 || sent === undefined) throw new Error(`${response.status}: ${answer}`)
    const event = (await (
      await fetch(`${url}/v1/events/${response.headers.get('x-incipit-request-id')}?fields=warnings,edits`)
    ).json()) as { warnings: string[]; edits: string[] } // the API's documented shape
    const shown = response.headers.get('x-incipit-warnings') ?? ''
    for (const warning of event.warnings) if (shown.length < 2_000) expect(shown).toContain(`${warning} (`)
    if (event.warnings.length === 0) expect(shown).toBe('')
    return { sent, json: jsonOf(sent), ...event }
  }
}

/** Warnings of one code at a place, inside it, or around it. */
export function warningsAt(warnings: readonly string[], code: string, pointer: string): string[] {
  return warnings.filter((warning) => {
    const [found = '', where = ''] = warning.split(': ', 2)
    return found === code && (where === pointer || where.startsWith(`${pointer}/`) || pointer.startsWith(`${where}/`))
  })
}

/** What a change of the body adds to its warnings. */
export function addedWarnings(warnings: readonly string[], before: readonly string[]): string[] {
  const left = [...before]
  return warnings.filter((warning) => {
    const index = left.indexOf(warning)
    if (index === -1) return true
    left.splice(index, 1)
    return false
  })
}
