import type { EpochMs, OrgId, PriceBook } from '@incipit/core'
import {
  costOfStorage,
  epochMs,
  frame,
  IsolationScope,
  milliseconds,
  picoUsd,
  requestId,
  toHex,
  unreportedUsage,
} from '@incipit/core'
import type { House } from '../house.ts'
import type { LedgerEvent } from '../ledger/port.ts'
import { unknownCost } from './cost-of-event.ts'

/** A cache that a provider kept for a time, and bills by the token-hour. */
export interface KeptCache {
  /** What the provider calls it. */
  readonly name: string
  readonly org: OrgId
  readonly provider: string | undefined
  readonly upstream: string | undefined
  readonly model: string
  readonly tokens: number
  /** The first instant, and the one after the last. */
  readonly since: EpochMs
  readonly until: EpochMs
}

const dayMs = 86_400_000
const hourMs = 3_600_000

/**
 * The rows of a cache that was kept (D-44): one for each day it touches (UTC), so that each has the price of its day and
 * stands in its day's sums. Nobody would have kept it without caching: its counterfactual is nothing. The ids follow
 * from what is booked, so that the same booked twice is one row.
 *
 * @example storageEvents({ name: 'cachedContents/1', tokens: 100_000, since, until, ... }, house)
 */
export function storageEvents(
  kept: KeptCache,
  house: Pick<House, 'config' | 'hasher' | 'secret'> & { readonly prices: PriceBook },
): LedgerEvent[] {
  const rows: LedgerEvent[] = []
  for (let at: number = kept.since; at < kept.until; at = nextDay(at)) {
    rows.push(rowOf(kept, { since: epochMs(at), until: epochMs(Math.min(nextDay(at), kept.until)) }, house))
  }
  return rows
}

function nextDay(at: number): number {
  return (Math.floor(at / dayMs) + 1) * dayMs
}

function rowOf(
  kept: KeptCache,
  { since, until }: Pick<KeptCache, 'since' | 'until'>,
  house: Parameters<typeof storageEvents>[1],
): LedgerEvent {
  const { org, provider, upstream, model } = kept
  const storage = (kept.tokens * (until - since)) / hourMs
  return {
    id: idOf(kept, { since, until }, house),
    kind: 'storage',
    parentId: undefined,
    at: since,
    org,
    keyName: undefined,
    session: undefined,
    scopeKey: IsolationScope.of({ org }, house).key,
    dialect: 'gemini',
    upstream,
    replica: undefined,
    provider,
    model,
    servedModel: model,
    serviceTier: undefined,
    stream: false,
    configGeneration: house.config.generation,
    configHash: house.config.hash,
    wireHash: undefined,
    usage: unreportedUsage,
    storage,
    rawUsage: undefined,
    inputTokens: undefined,
    cachedInputTokens: undefined,
    evaluatedTokens: undefined,
    expectedTokens: undefined,
    reportedInputTokens: undefined,
    prefixCache: 'on',
    edits: [],
    warnings: [],
    ttftMs: undefined,
    totalMs: milliseconds(0),
    status: 200,
    errorCode: undefined,
    answerId: undefined,
    ...costsOf(kept, { at: since, storage }, house),
    control: false,
    reuse: undefined,
    verdict: undefined,
    cause: undefined,
    requestHeadroom: undefined,
    tokenHeadroom: undefined,
  }
}

function costsOf(
  { provider, upstream, model }: KeptCache,
  { at, storage }: { readonly at: EpochMs; readonly storage: number },
  { prices }: { readonly prices: PriceBook },
): typeof unknownCost {
  const price = prices.find({ provider, upstream, model, at, promptTokens: undefined })
  const cost = price && costOfStorage(price, storage)
  if (price === undefined || cost === undefined) return unknownCost
  return { ...unknownCost, cost, counterfactual: picoUsd(0n), priceId: price.id }
}

function idOf(
  { org, name, model }: KeptCache,
  { since, until }: Pick<KeptCache, 'since' | 'until'>,
  { hasher, secret }: Pick<House, 'hasher' | 'secret'>,
): LedgerEvent['id'] {
  const fields = ['incipit/storage/1', org, name, model, String(since), String(until)]
  return requestId(`req_${toHex(hasher.hmacSha256(secret, frame(fields))).slice(0, 24)}`)
}
