import type { TokenCount, Usage } from '@incipit/core'
import { inputTokens, tokenCount, unreportedUsage } from '@incipit/core'
import type { LedgerEvent } from '../ledger/port.ts'
import type { Passage } from '../passage.ts'
import { placeOf } from './place-of.ts'
import { writtenLife } from './written-life.ts'

type Measured = Pick<
  LedgerEvent,
  'usage' | 'rawUsage' | 'inputTokens' | 'cachedInputTokens' | 'evaluatedTokens' | 'reportedInputTokens'
>

/**
 * What an answer used, in disjoint buckets, and the provider's own total beside their sum. What the engine counted is
 * its own; what an upstream reported is as it reported it.
 *
 * @example usageOf(passage).usage.read
 */
export function usageOf(passage: Passage): Measured {
  const { report, rawUsage } = passage
  if (report !== undefined) return ofEngine(passage, report)
  const usage = ofUpstream(passage)
  const sum = inputTokens(usage)
  return {
    usage,
    rawUsage: rawUsage === undefined ? undefined : JSON.stringify(rawUsage),
    inputTokens: sum,
    cachedInputTokens: usage.read,
    evaluatedTokens: undefined,
    reportedInputTokens: sum === undefined || rawUsage === undefined ? undefined : passage.spoken?.inputTotal(rawUsage),
  }
}

function ofEngine({ usage, output }: Passage, report: NonNullable<Passage['report']>): Measured {
  const { promptTokens, cachedTokens, evaluatedTokens } = report
  const own = { ...unreportedUsage, fresh: tokenCount(promptTokens - cachedTokens), read: cachedTokens }
  // By the rules of a provider fewer may be reported than were reused: those that were not evaluated stay apart.
  const input = report.counted === undefined ? own : (usage?.buckets ?? own)
  return {
    usage: { ...input, output: output ?? usage?.buckets.output },
    rawUsage: undefined,
    inputTokens: promptTokens,
    cachedInputTokens: input.read,
    evaluatedTokens,
    reportedInputTokens: promptTokens,
  }
}

function ofUpstream(passage: Passage): Usage {
  const usage = passage.usage?.buckets ?? unreportedUsage
  const read = readTokens(usage.read, placeOf(passage.target).provider)
  const { write30m } = usage
  const life = write30m === undefined || write30m === 0 ? '30m' : writtenLife(passage)
  if (life === '30m') return read === usage.read ? usage : { ...usage, read }
  return { ...usage, read, write30m: undefined, [`write${life}`]: write30m }
}

/** Ollama reports that it read none, whatever it read: https://github.com/ollama/ollama, 2026-08 */
function readTokens(read: TokenCount | undefined, provider: string | undefined): TokenCount | undefined {
  return provider === 'ollama' && read === 0 ? undefined : read
}
