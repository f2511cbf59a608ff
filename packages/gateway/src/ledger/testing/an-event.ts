import { epochMs, milliseconds, orgId, requestId, tokenCount, unreportedUsage } from '@incipit/core'
import type { TokenCount, Usage } from '@incipit/core'
import type { LedgerEvent } from '../port.ts'

/** An event that reports nothing but what it must, changed by `fields`. */
export function anEvent(id: string, fields: Partial<LedgerEvent> = {}): LedgerEvent {
  return {
    id: requestId(id),
    kind: 'request',
    parentId: undefined,
    at: epochMs(1_700_000_000_000),
    org: orgId('acme'),
    keyName: undefined,
    session: undefined,
    scopeKey: 'f'.repeat(64),
    dialect: 'openai-chat',
    upstream: undefined,
    replica: undefined,
    model: 'demo',
    servedModel: undefined,
    stream: false,
    configGeneration: 1,
    configHash: 'c0ffee',
    wireHash: undefined,
    usage: unreportedUsage,
    rawUsage: undefined,
    inputTokens: undefined,
    cachedInputTokens: undefined,
    evaluatedTokens: undefined,
    expectedTokens: undefined,
    prefixCache: 'on',
    edits: [],
    warnings: [],
    ttftMs: undefined,
    totalMs: milliseconds(12.5),
    status: 200,
    errorCode: undefined,
    answerId: undefined,
    storage: undefined,
    reportedInputTokens: undefined,
    provider: undefined,
    serviceTier: undefined,
    cost: undefined,
    costRead: undefined,
    costWrite: undefined,
    costOutput: undefined,
    counterfactual: undefined,
    priceId: undefined,
    control: false,
    reuse: undefined,
    verdict: undefined,
    cause: undefined,
    requestHeadroom: undefined,
    tokenHeadroom: undefined,
    ...fields,
  }
}

/** The token fields of an event with this much input, of which `read` from a cache. */
export function reported(counts: { fresh: number; read: number; output: number }): Partial<LedgerEvent> {
  const usage: Usage = {
    ...unreportedUsage,
    fresh: tokenCount(counts.fresh),
    read: tokenCount(counts.read),
    output: tokenCount(counts.output),
  }
  const inputTokens: TokenCount = tokenCount(counts.fresh + counts.read)
  return { usage, inputTokens, cachedInputTokens: tokenCount(counts.read) }
}
