import type { Summary } from '../api/summary.ts'
import type { TimeChartData } from '../chart/series.ts'
import { intervalText } from '../format/times.ts'
import { intervalMs, intervals, timeZone } from '../state/time-range.ts'

/** The ends move on in steps, so that a refresh draws a new picture only when there is something new. */
const stepMs = 300_000

/** The time axis of a chart: what the gateway says it added up. */
export function timeFrame(
  summary: Summary,
): Pick<TimeChartData, 'starts' | 'lengthMs' | 'from' | 'to' | 'timeZone' | 'nameOf'> {
  const zone = timeZone()
  const step = intervals.find((name) => name === summary.interval) ?? 'day'
  return {
    starts: (summary.rows ?? []).map(({ start }) => Date.parse(start ?? '')),
    lengthMs: intervalMs[step],
    from: stepFrom(summary.since, Math.floor),
    to: stepFrom(summary.until, Math.ceil),
    timeZone: zone,
    nameOf: (start) => intervalText(start, step, zone),
  }
}

function stepFrom(at: string | null | undefined, round: (steps: number) => number): number | undefined {
  const ms = Date.parse(at ?? '')
  return Number.isNaN(ms) ? undefined : round(ms / stepMs) * stepMs
}
