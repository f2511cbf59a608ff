import type { JSX } from 'preact'
import type { Summary, SummaryRow } from '../api/summary.ts'
import { writtenTokens } from '../api/summary.ts'
import type { Series, TimeChartData } from '../chart/series.ts'
import { axisCount, percentText, shortCount } from '../format/amounts.ts'
import { Notice, Panel, Waiting } from '../parts/notice.tsx'
import { Choice } from '../parts/values.tsx'
import { change, setting } from '../state/place.ts'
import type { Answer } from '../state/use-answer.ts'
import { IntervalChart } from './interval-chart.tsx'
import { timeFrame } from './time-frame.ts'

type Unit = 'token' | 'request'

/** How much was read from caches, over time: of the tokens, or of the requests. */
export function HitPanel({ answer, address }: { answer: Answer<Summary>; address: string }): JSX.Element {
  const unit: Unit = setting('per') === 'request' ? 'request' : 'token'
  const data = answer.value === undefined ? undefined : hitData(answer.value, unit)
  const tools = (
    <Choice
      label="Share of what"
      value={unit}
      options={[
        ['token', 'per token'],
        ['request', 'per request'],
      ]}
      choose={(chosen) => change({ per: chosen === 'token' ? undefined : chosen }, 'in place')}
    />
  )
  return (
    <Panel title="Cached share over time" id="hits" tools={tools} busy={answer.pending}>
      <Notice of={answer} what="cached share over time" />
      <Waiting of={answer} />
      {data !== undefined && <IntervalChart of={answer} data={data} name={`cached-per-${unit}`} address={address} />}
    </Panel>
  )
}

function hitData(summary: Summary, unit: Unit): TimeChartData {
  const rows = summary.rows ?? []
  const bars = unit === 'token' ? tokenBars(rows) : requestBars(rows)
  const ratio = (row: Summary): number | undefined =>
    (unit === 'token' ? row.hit_ratio_per_token : row.hit_ratio_per_request) ?? undefined
  const share: Series = {
    title: unit === 'token' ? 'cached share of input tokens' : 'share of requests that read from a cache',
    colour: '--ink',
    values: rows.map(ratio),
    format: percentText,
  }
  const sums = bars.map(({ values }) => shortCount(sumKnown(values)))
  return {
    ...timeFrame(summary),
    label: `Cached share over time, per ${unit}: ${percentText(ratio(summary))} over all`,
    bars,
    lines: [share],
    linesAreShares: true,
    axis: axisCount,
    totals: [...sums, percentText(ratio(summary))],
  }
}

function tokenBars(rows: readonly SummaryRow[]): Series[] {
  const read = rows.map((row) => row.cached_input_tokens ?? undefined)
  const written = rows.map(writtenTokens)
  // An older gateway does not tell fresh from written.
  const fresh = rows.map((row, at) => row.fresh_tokens ?? less(row.input_tokens, (read[at] ?? 0) + (written[at] ?? 0)))
  return [
    { title: 'read', colour: '--read', values: read, format: shortCount },
    { title: 'written', colour: '--written', values: written, format: shortCount },
    { title: 'fresh', colour: '--fresh', values: fresh, format: shortCount },
  ]
}

function requestBars(rows: readonly SummaryRow[]): Series[] {
  const unknown = rows.map((row) => row.unreported_requests ?? undefined)
  const warm = rows.map((row) => row.warm_requests ?? undefined)
  const cold = rows.map((row, at) => less(row.requests, (warm[at] ?? 0) + (unknown[at] ?? 0)))
  return [
    { title: 'warm', colour: '--read', values: warm, format: shortCount },
    { title: 'cold', colour: '--fresh', values: cold, format: shortCount },
    { title: 'usage not reported', colour: '--line-strong', values: unknown, format: shortCount },
  ]
}

function less(all: number | null | undefined, part: number): number | undefined {
  return typeof all === 'number' ? Math.max(0, all - part) : undefined
}

function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0)
}
