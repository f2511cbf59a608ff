import { requestId, unreportedUsage } from '@incipit/core'
import type { LedgerEvent } from '../ledger/port.ts'
import type { Passage } from '../passage.ts'
import { unknownCost } from './cost-of-event.ts'
import { headroomOf } from './headroom.ts'
import { placeOf } from './place-of.ts'

/**
 * The row of a try that led to no answer: where, how long, how it failed. It has no usage of its own.
 * @example passage.attempts.map((attempt, index) => attemptEvent(event, attempt, index))
 */
export function attemptEvent(request: LedgerEvent, attempt: Passage['attempts'][number], index: number): LedgerEvent {
  return {
    ...request,
    ...placeOf(attempt.target),
    ...unknownCost,
    ...headroomOf(attempt.headers),
    id: requestId(`${request.id}_${index + 1}`),
    kind: 'attempt',
    parentId: request.id,
    usage: unreportedUsage,
    rawUsage: undefined,
    inputTokens: undefined,
    cachedInputTokens: undefined,
    evaluatedTokens: undefined,
    reportedInputTokens: undefined,
    serviceTier: undefined,
    reuse: undefined,
    verdict: undefined,
    cause: undefined,
    edits: [],
    warnings: [],
    ttftMs: undefined,
    totalMs: durationOf(attempt),
    status: attempt.status,
    errorCode: attempt.errorCode,
    answerId: undefined,
  }
}

function durationOf({ begun, ended }: Passage['attempts'][number]): LedgerEvent['totalMs'] {
  return (Math.round((ended - begun) * 1_000) / 1_000) as LedgerEvent['totalMs'] // a difference of two readings
}
