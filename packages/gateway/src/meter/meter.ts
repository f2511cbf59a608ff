import type { Usage } from '@incipit/core'
import { inputTokens, requestId, tokenCount, unreportedUsage } from '@incipit/core'
import type { House } from '../house.ts'
import type { LedgerEvent } from '../ledger/port.ts'
import type { FailedAttempt, Identified, Passage } from '../passage.ts'
import type { Target } from '../route/route.ts'

/** Edits and warnings that a row holds: a body can be made to have hundreds of thousands. */
const mostNoted = 200
const longestNote = 300

/**
 * Writes the rows of a request that had a place to go: its own, and one for each attempt that failed. Resolves
 * when they would survive a killed process; a ledger that fails is counted and reported, and the request goes on.
 *
 * @example await meter(passage, house); held.release()
 */
export async function meter(passage: Passage, house: House): Promise<void> {
  const { who } = passage
  if (who === undefined) throw new Error('metered before the request was identified')
  const event = toEvent(passage, who, house.config)
  house.metrics.observe(event)
  const attempts = passage.attempts.map((attempt, index) => attemptEvent(event, attempt, index))
  for (const attempt of attempts) house.metrics.attemptFailed(attempt)
  try {
    await Promise.all([...attempts, event].map((row) => house.ledger.record(row)))
  } catch (error) {
    house.metrics.lostEvent()
    house.log.error({ err: error, request_id: passage.id }, 'the ledger did not take this event: it is lost')
  }
}

function toEvent(passage: Passage, who: Identified, config: House['config']): LedgerEvent {
  const { id, at, report, ttft, target, warnings } = passage
  const usage = usageOf(passage)
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
    ...placeOf(target),
    model: who.prompt.model,
    stream: who.prompt.stream,
    configGeneration: config.generation,
    configHash: config.hash,
    wireHash: who.wireHash,
    usage,
    rawUsage: passage.rawUsage === undefined ? undefined : JSON.stringify(passage.rawUsage),
    inputTokens: report?.promptTokens ?? inputTokens(usage),
    cachedInputTokens: report?.cachedTokens ?? usage.read,
    evaluatedTokens: report?.evaluatedTokens,
    expectedTokens: undefined,
    prefixCache: who.head.prefixCache,
    edits: passage.edits.slice(0, mostNoted),
    warnings: warnings.slice(0, mostNoted).map(({ code, where }) => `${code}: ${where}`.slice(0, longestNote)),
    ttftMs: ttft,
    totalMs: passage.elapsed,
    status: passage.status,
    errorCode: passage.errorCode,
    answerId: passage.answerId,
  }
}

/** A try that led to no answer: where, how long, how it failed. It has no usage of its own. */
function attemptEvent(request: LedgerEvent, attempt: Passage['attempts'][number], index: number): LedgerEvent {
  return {
    ...request,
    ...placeOf(attempt.target),
    id: requestId(`${request.id}_${index + 1}`),
    kind: 'attempt',
    parentId: request.id,
    usage: unreportedUsage,
    rawUsage: undefined,
    inputTokens: undefined,
    cachedInputTokens: undefined,
    evaluatedTokens: undefined,
    edits: [],
    warnings: [],
    ttftMs: undefined,
    totalMs: durationOf(attempt),
    status: attempt.status,
    errorCode: attempt.errorCode,
    answerId: undefined,
  }
}

function durationOf({
  begun,
  ended,
}: FailedAttempt & Pick<Passage['attempts'][number], 'ended'>): LedgerEvent['totalMs'] {
  return (Math.round((ended - begun) * 1_000) / 1_000) as LedgerEvent['totalMs'] // a difference of two readings
}

function placeOf(target: Target | undefined): Pick<LedgerEvent, 'upstream' | 'replica' | 'servedModel'> {
  if (target === undefined) return { upstream: undefined, replica: undefined, servedModel: undefined }
  if (target.kind === 'engine') return { upstream: 'engine', replica: target.replica, servedModel: target.model }
  return { upstream: target.upstream.name, replica: target.replica.name, servedModel: target.model }
}

function usageOf({ report, usage, output }: Passage): Usage {
  if (report === undefined) return usage?.buckets ?? unreportedUsage
  const fresh = tokenCount(report.promptTokens - report.cachedTokens)
  return { ...unreportedUsage, fresh, read: report.cachedTokens, output: output ?? usage?.buckets.output }
}
