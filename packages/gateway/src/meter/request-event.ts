import type { PriceBook, TokenCount, Warning } from '@incipit/core'
import type { House } from '../house.ts'
import type { LedgerEvent, Reuse } from '../ledger/port.ts'
import type { Identified, Passage } from '../passage.ts'
import { cacheRuleOf } from '../plan/cache-rules-of.ts'
import type { Used } from './cost-of-event.ts'
import { costOfEvent, unknownCost } from './cost-of-event.ts'
import { headroomOf } from './headroom.ts'
import { placeOf } from './place-of.ts'
import { usageOf } from './usage-of.ts'
import { judge } from './verdict.ts'

/** Edits and warnings that a row holds: a body can be made to have hundreds of thousands. */
const mostNoted = 200
const longestNote = 300
/** Nobody expects anything of a prefix yet. */
const expectedTokens: TokenCount | undefined = undefined

/** What of the house a row needs. */
export interface MeteringHouse extends Pick<House, 'reuse' | 'clock' | 'log'> {
  readonly prices: PriceBook
  readonly config: Pick<House['config'], 'generation' | 'hash'>
}

/**
 * The row of a request. Side effect: the house remembers that it was served.
 * @example const event = requestEvent(passage, who, house)
 */
export function requestEvent(passage: Passage, who: Identified, house: MeteringHouse): LedgerEvent {
  const place = placeOf(passage.target)
  const measured = usageOf(passage)
  const reuse = reuseOf(passage, who, house)
  const warnings = [...mismatch(measured), ...passage.warnings.slice(0, mostNoted)]
  const { inputTokens, cachedInputTokens: cachedTokens } = measured
  const answered = passage.status < 400
  const minTokens = (): number | undefined => minimumOf(passage)
  const used = {
    kind: isPrewarm(passage, who, measured) ? 'prewarm' : 'request',
    at: passage.at,
    ...place,
    model: who.prompt.model,
    serviceTier: passage.serviceTier,
    ...measured,
  } as const
  return {
    id: passage.id,
    parentId: undefined,
    ...used,
    org: who.caller.org,
    keyName: who.caller.keyName,
    session: who.session,
    scopeKey: who.scope.key,
    dialect: passage.dialect.name,
    stream: who.prompt.stream,
    configGeneration: house.config.generation,
    configHash: house.config.hash,
    wireHash: who.wireHash,
    storage: undefined,
    expectedTokens,
    prefixCache: who.prefixCache,
    control: who.control,
    edits: passage.edits.slice(0, mostNoted),
    warnings: warnings.slice(0, mostNoted).map(({ code, where }) => `${code}: ${where}`.slice(0, longestNote)),
    ttftMs: passage.ttft,
    totalMs: passage.elapsed,
    status: passage.status,
    errorCode: passage.errorCode,
    answerId: passage.answerId,
    reuse,
    ...judge({ cachedTokens, inputTokens, expectedTokens, answered, prefixCache: who.prefixCache, reuse, minTokens }),
    ...headroomOf(passage.headers),
    ...priced(used, passage, house),
  }
}

/**
 * Asked to store its prompt and to say nothing, and done: it is for the sake of later requests, and a cost of theirs.
 * One that failed, or was answered with text, is a request like any other.
 */
function isPrewarm(passage: Passage, { prompt }: Identified, { usage }: Pick<LedgerEvent, 'usage'>): boolean {
  return prompt.prewarms === true && passage.status < 400 && (usage.output ?? 0) === 0
}

function reuseOf(passage: Passage, who: Identified, { reuse, clock }: MeteringHouse): Reuse | undefined {
  const { upstream, servedModel: model } = placeOf(passage.target)
  if (who.embeds === true) return undefined
  if (upstream === undefined || model === undefined) return undefined
  // The engine keeps nothing of a prompt that it is to compute anew; upstreams cache by themselves.
  const keeps = passage.target?.kind === 'upstream' || who.prefixCache === 'on'
  const leaves = keeps && (passage.status < 400 || passage.ttft !== undefined)
  const { session, opening, scope } = who
  return reuse.visit({ scopeKey: scope.key, upstream, model, session, opening, began: passage.at, leaves }, clock.now())
}

/** A price list that fails makes a cost unknown, and breaks no request. */
function priced(used: Used, { id, rawUsage }: Passage, { prices, log }: MeteringHouse): ReturnType<typeof costOfEvent> {
  try {
    return costOfEvent(used, rawUsage, prices)
  } catch (error) {
    log.error({ err: error, request_id: id }, 'no price could be found: the cost of this request is unknown')
    return unknownCost
  }
}

function minimumOf({ target, at }: Passage): number | undefined {
  return target?.kind === 'upstream' ? cacheRuleOf(target, at)?.minTokens : undefined
}

function mismatch({
  inputTokens,
  reportedInputTokens,
}: Pick<LedgerEvent, 'inputTokens' | 'reportedInputTokens'>): Warning[] {
  if (reportedInputTokens === undefined || reportedInputTokens === inputTokens) return []
  const detail = `the counts of input sum to ${inputTokens}, the total of the upstream is ${reportedInputTokens}`
  return [{ code: 'usage_mismatch', where: 'usage', detail }]
}
