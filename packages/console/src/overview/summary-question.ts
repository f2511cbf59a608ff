import { addressOf } from '../api/ask.ts'
import type { Summary } from '../api/summary.ts'
import { filters } from '../state/filters.ts'
import { interval, moments, timeZone } from '../state/time-range.ts'
import type { Question } from '../state/use-answer.ts'

const everyMs = 10_000
const mostGroups = 20
/** As many as there can be. */
const mostIntervals = 5_000

/** Sums over the range and the filters. */
export function totalsQuestion(): Question {
  return summaryQuestion({})
}

/** The same, interval by interval: short ones where `totals` reach over a short time. */
export function seriesQuestion(totals: Summary | undefined): Question {
  const reached = Date.parse(totals?.until ?? '') - Date.parse(totals?.since ?? '')
  const step = interval(Number.isNaN(reached) ? undefined : reached)
  return summaryQuestion({ interval: step, tz: timeZone(), limit: mostIntervals })
}

/** The same, group by group, those with most requests first. */
export function groupsQuestion(groupBy: string): Question {
  return summaryQuestion({ group_by: groupBy, limit: mostGroups })
}

function summaryQuestion(more: Readonly<Record<string, string | number>>): Question {
  return { address: addressOf('v1/summary', { ...moments(), ...filters(), kind: undefined, ...more }), everyMs }
}
