import type { Usage } from '@incipit/core'
import { tokenCount, unreportedUsage } from '@incipit/core'
import type { House } from '../house.ts'
import type { LedgerEvent } from '../ledger/port.ts'
import type { Identified, Passage } from '../passage.ts'

/**
 * Writes the row of a request that had a place to go. Resolves when the row would survive a killed
 * process; a ledger that fails is counted and reported, and the request goes on.
 *
 * @example await meter(passage, house); held.release()
 */
export async function meter(passage: Passage, house: House): Promise<void> {
  const { who } = passage
  if (who === undefined) throw new Error('metered before the request was identified')
  const event = toEvent(passage, who, house.config)
  house.metrics.observe(event)
  try {
    await house.ledger.record(event)
  } catch (error) {
    house.metrics.lostEvent()
    house.log.error({ err: error, request_id: passage.id }, 'the ledger did not take this event: it is lost')
  }
}

function toEvent(passage: Passage, who: Identified, config: House['config']): LedgerEvent {
  const { id, at, report, ttft } = passage
  return {
    id,
    kind: 'request',
    parentId: undefined,
    at,
    org: who.caller.org,
    keyName: who.caller.keyName,
    session: who.session,
    scopeKey: who.scope.key,
    dialect: passage.dialect.name,
    upstream: who.target.upstream,
    replica: who.target.replica,
    model: who.prompt.model,
    servedModel: who.target.model,
    stream: who.prompt.stream,
    configGeneration: config.generation,
    configHash: config.hash,
    wireHash: who.wireHash,
    usage: usageOf(passage),
    rawUsage: undefined,
    inputTokens: report?.promptTokens,
    cachedInputTokens: report?.cachedTokens,
    evaluatedTokens: report?.evaluatedTokens,
    expectedTokens: undefined,
    prefixCache: who.head.prefixCache,
    edits: [],
    warnings: [],
    ttftMs: ttft,
    totalMs: passage.elapsed,
    status: passage.status,
    errorCode: passage.errorCode,
  }
}

function usageOf({ report, output }: Passage): Usage {
  if (report === undefined) return unreportedUsage
  const fresh = tokenCount(report.promptTokens - report.cachedTokens)
  return { ...unreportedUsage, fresh, read: report.cachedTokens, output }
}
