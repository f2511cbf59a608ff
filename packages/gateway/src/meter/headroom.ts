import type { IncomingHttpHeaders } from 'node:http'
import type { LedgerEvent } from '../ledger/port.ts'

type Headroom = Pick<LedgerEvent, 'requestHeadroom' | 'tokenHeadroom'>

/** Names of the two headers that tell a limit, and what is left of it. */
type Limit = readonly [limit: string, remaining: string]

const ofRequests: readonly Limit[] = [openai('requests'), anthropic('requests')]
const ofTokens: readonly Limit[] = [openai('tokens'), anthropic('tokens'), anthropic('input-tokens')]

/**
 * The part of an upstream's rate limits that is left, 0 to 1, by the headers of its answer; of several limits the one
 * that is nearest. `undefined` where it says nothing.
 *
 * @example headroomOf(answer.headers).tokenHeadroom // 0.42
 */
export function headroomOf(headers: IncomingHttpHeaders | undefined): Headroom {
  return { requestHeadroom: least(headers, ofRequests), tokenHeadroom: least(headers, ofTokens) }
}

function openai(what: string): Limit {
  return [`x-ratelimit-limit-${what}`, `x-ratelimit-remaining-${what}`]
}

function anthropic(what: string): Limit {
  return [`anthropic-ratelimit-${what}-limit`, `anthropic-ratelimit-${what}-remaining`]
}

function least(headers: IncomingHttpHeaders | undefined, limits: readonly Limit[]): number | undefined {
  if (headers === undefined) return undefined
  let found: number | undefined
  for (const [limit, remaining] of limits) {
    const left = part(headers[remaining], headers[limit])
    if (left !== undefined && (found === undefined || left < found)) found = left
  }
  return found
}

function part(remaining: string | string[] | undefined, limit: string | string[] | undefined): number | undefined {
  if (typeof remaining !== 'string' || typeof limit !== 'string') return undefined
  if (!count.test(remaining) || !count.test(limit) || Number(limit) === 0) return undefined
  return Math.min(1, Number(remaining) / Number(limit))
}

const count = /^\d{1,15}$/
