import { usdText } from '../domain/money.ts'
import { forecast } from './forecast.ts'
import type { PlanOption, PlanReason, SavingsInput } from './savings-plan.ts'

/**
 * Why an option saves nothing, the plainest reason first.
 * @example reasonsAgainst(option, input)[0]?.code // 'single_shot'
 */
export function reasonsAgainst(option: Omit<PlanOption, 'reasons'>, input: SavingsInput): PlanReason[] {
  const found = checks.flatMap((check) => check(option, input) ?? [])
  return found.length > 0 ? found : [tooFewReads(option)]
}

type Check = (option: Omit<PlanOption, 'reasons'>, input: SavingsInput) => PlanReason | undefined

const checks: readonly Check[] = [belowMinimum, askedOnce, changes, gapTooLong, storage, noDiscount]

function belowMinimum(_: unknown, { cacheableTokens, minTokens }: SavingsInput): PlanReason | undefined {
  if (minTokens === undefined || cacheableTokens >= minTokens) return undefined
  return {
    code: 'below_minimum',
    text: `${cacheableTokens} shared tokens are fewer than the ${minTokens} from which this model caches: nothing is stored, and nobody says so`,
  }
}

function askedOnce(_: unknown, { requests, pattern }: SavingsInput): PlanReason | undefined {
  if (requests > 1) return undefined
  return pattern === 'upload'
    ? {
        code: 'one_off_upload',
        text: 'one question about a document: the document is written and never read; ask all questions while the cache lives, or do not mark it',
      }
    : { code: 'single_shot', text: 'one request: what it writes is never read' }
}

function changes(option: Omit<PlanOption, 'reasons'>, input: SavingsInput): PlanReason | undefined {
  const { changedShare, pattern } = input
  if (changedShare === 0 || input.requests === 1) return undefined
  const unchanged = forecast({ ...input, changedShare: 0 }, { name: option.life, seconds: option.seconds })
  // Had nothing changed, there would still have been too few reads: then it is not the changes.
  if (unchanged.reads === 0) return undefined
  const share = `${Math.round(changedShare * 1000) / 10} % of the requests begin differently from those before`
  return pattern === 'retrieval'
    ? {
        code: 'changing_retrieval',
        text: `${share}, as passages chosen for each question do: cache the whole corpus or its stable part, and put the passages and the question behind it`,
      }
    : { code: 'highly_variable', text: `${share}: each of them writes, and few are left to read` }
}

function gapTooLong(
  { life, seconds, reads, writes }: Omit<PlanOption, 'reasons'>,
  input: SavingsInput,
): PlanReason | undefined {
  const { arrivals } = input
  if (seconds === undefined || arrivals.kind === 'within-life' || writes <= 1) return undefined
  const gap = arrivals.kind === 'even' ? arrivals.gapSeconds : 3600 / arrivals.perHour
  const expired = writes - 1 - Math.round((input.requests - 1) * input.changedShare)
  if (expired <= 0 || expired < reads) return undefined
  const name = life === 'automatic' ? `the least life of ${seconds} seconds` : `a life of ${life}`
  return {
    code: 'gap_longer_than_life',
    text: `${expired} of ${input.requests - 1} requests come after ${name} has run out: there are ${seconds3(gap)} seconds between two${arrivals.kind === 'random' ? ' on average' : ''}`,
  }
}

function storage({ storageCost, breakEvenReadsPerHour }: Omit<PlanOption, 'reasons'>): PlanReason | undefined {
  if (storageCost === 0n) return undefined
  const needed = breakEvenReadsPerHour === undefined ? 'no number of' : `at least ${breakEvenReadsPerHour}`
  return {
    code: 'storage_costs_more',
    text: `storing costs ${usdText(storageCost)} USD, no less than the reads save; ${needed} reads an hour would pay for it`,
  }
}

function noDiscount(_: unknown, { price }: SavingsInput): PlanReason | undefined {
  if (price.read === undefined || price.input === undefined || price.read < price.input) return undefined
  return { code: 'no_discount', text: 'tokens that are read cost as much as those that are not' }
}

function tooFewReads({ reads, breakEvenReads }: Omit<PlanOption, 'reasons'>): PlanReason {
  const needed = breakEvenReads === undefined ? 'no number is enough' : `each write needs ${breakEvenReads}`
  return { code: 'too_few_reads', text: `${reads} reads do not pay for what writing costs extra: ${needed}` }
}

function seconds3(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
