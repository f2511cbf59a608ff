import type { JSX } from 'preact'
import type { Summary, Totals } from '../api/summary.ts'
import type { Series, TimeChartData } from '../chart/series.ts'
import { dollarText } from '../format/amounts.ts'
import { Notice, Panel, Waiting } from '../parts/notice.tsx'
import type { Answer } from '../state/use-answer.ts'
import { IntervalChart } from './interval-chart.tsx'
import { timeFrame } from './time-frame.ts'

/** What caching saved, interval by interval, below the line where it cost more than it saved. */
export function SavedPanel({ answer, address }: { answer: Answer<Summary>; address: string }): JSX.Element {
  const { value } = answer
  const data = value === undefined ? undefined : savedData(value)
  return (
    <Panel title="Saved over time" id="saved" busy={answer.pending}>
      <p class="about">
        Net: what the same tokens cost without caching, less what they did cost, with cache writes, storage and
        keep-alive. Only requests whose usage and price are known are compared.
      </p>
      <Notice of={answer} what="savings over time" />
      <Waiting of={answer} />
      {data !== undefined && <IntervalChart of={answer} data={data} name="saved" address={address} />}
    </Panel>
  )
}

function savedData(summary: Summary): TimeChartData {
  const rows = summary.rows ?? []
  const series = (title: string, colour: string, of: (totals: Totals) => number | null | undefined): Series => ({
    title,
    colour,
    values: rows.map((row) => of(row) ?? undefined),
    format: dollarText,
  })
  return {
    ...timeFrame(summary),
    label: `Saved over time: ${dollarText(summary.saved_usd)} net over all`,
    bars: [series('saved, net', '--read', (totals) => totals.saved_usd)],
    lines: [
      series('cost', '--written', (totals) => totals.cost_usd),
      series('without caching', '--fresh', (totals) => totals.counterfactual_usd),
    ],
    linesAreShares: false,
    axis: dollarText,
    totals: [summary.saved_usd, summary.cost_usd, summary.counterfactual_usd].map(dollarText),
  }
}
