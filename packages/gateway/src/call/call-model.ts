import type { AnswerEvent, DialectName, RequestId } from '@incipit/core'
import { answerEvents, cacheRequest, IncipitError, toGeneration, withoutBillingBlock } from '@incipit/core'
import { dialectNamed } from '../dialects.ts'
import type { House } from '../house.ts'
import { narrowToSnapshot } from '../identify/isolate.ts'
import type { Identified, Passage } from '../passage.ts'
import type { EngineTarget, Route } from '../route/route.ts'
import type { UpstreamReply } from './attempt-upstreams.ts'
import { attemptUpstreams } from './attempt-upstreams.ts'
import { callEngine } from './call-engine.ts'
import { checkStoredAnswers } from './check-stored-answers.ts'
import type { CancelSignal } from '../http/cancellation.ts'
import { abortSignalOf } from '../http/cancellation.ts'

/** What came back: events of a local model, or what an upstream said. */
export type Reply = { readonly kind: 'events'; readonly events: AsyncIterable<AnswerEvent> } | UpstreamReply

export interface CallInput {
  readonly id: RequestId
  readonly who: Identified
  readonly where: Route
  readonly house: House
  readonly passage: Passage
  readonly signal: CancelSignal
}

/**
 * Asks whoever serves the model. Of a local model nothing is computed before its first event is awaited.
 * @throws IncipitError where nobody can answer
 * @example const reply = await callModel({ id, who, where, house, passage, signal })
 */
export async function callModel(input: CallInput): Promise<Reply> {
  const { who, where, house, passage, signal } = input
  await checkStoredAnswers(who, house)
  if (where.kind === 'engine') return { kind: 'events', events: askEngine(input, where.target) }
  const reply = await attemptUpstreams({ who, house, passage, signal, targets: where.targets })
  const [first] = where.targets
  if (first !== undefined && reply.target.upstream !== first.upstream) {
    const detail = `"${first.upstream.name}" comes first and did not answer; "${reply.target.upstream.name}" did`
    passage.warn({ code: 'failover', where: reply.target.upstream.name, detail })
  } else if (reply.kind === 'answer') warnOfRetries(passage, reply.target.upstream.name)
  return reply
}

function warnOfRetries(passage: Passage, where: string): void {
  // Marks that were refused have a warning of their own.
  const failed = passage.attempts.filter(({ errorCode }) => errorCode !== 'marks_refused').length
  if (failed > 0) passage.warn({ code: 'retried', where, detail: `answered after ${failed} attempt(s) that failed` })
}

async function* askEngine(input: CallInput, target: EngineTarget): AsyncGenerator<AnswerEvent, void> {
  const { id, who, house, passage, signal } = input
  passage.trying(target)
  passage.trace.calling({ target, session: who.session, stream: who.prompt.stream })
  if (who.subpath !== undefined)
    throw new IncipitError('unsupported_feature', `local models have nothing like ${who.subpath}`)
  const scope = narrowToSnapshot(who.scope, house.snapshots.snapshotOf(target.model, who.session), house)
  const conversation = withoutBillingBlock(dialectNamed(who.prompt.dialect).read(who.prompt))
  const { hasher } = house
  const cache = cacheRequest(conversation, { rules: target.rules, dialect: who.prompt.dialect, hasher })
  for (const warning of cache.warnings) passage.warn(warning)
  const generation = { ...toGeneration(conversation, hasher), cache: cache.request }
  const sharing = { org: scope.org, session: who.session }
  const request = { id, model: target.replica, scopeKey: scope.key, sharing, generation, prefixCache: who.prefixCache }
  const toAnswer = answerEvents()
  for await (const event of callEngine(house, request, abortSignalOf(signal))) {
    if (event.kind === 'prompt') passage.prompted(event)
    else passage.generated(event.outputTokens)
    yield prewarmed(toAnswer(event), who.prompt.dialect, generation.maxTokens)
  }
}

/** A prewarm of the Responses API is complete when the prompt is stored; one of Messages has reached its limit of 0. */
function prewarmed(event: AnswerEvent, dialect: DialectName, maxTokens: number | undefined): AnswerEvent {
  return event.kind === 'finish' && dialect === 'openai-responses' && maxTokens === 0
    ? { ...event, stop: 'end' }
    : event
}
