import type { JSX } from 'preact'
import type { Summary } from '../api/summary.ts'
import { ChartTable } from '../chart/chart-table.tsx'
import type { TimeChartData } from '../chart/series.ts'
import { TimeChart } from '../chart/time-chart.tsx'
import type { Answer } from '../state/use-answer.ts'

/** A summary interval by interval: as a picture, with the numbers behind it. */
export function IntervalChart({
  of: { value },
  data,
  name,
  address,
}: {
  of: Answer<Summary>
  data: TimeChartData
  name: string
  address: string
}): JSX.Element {
  return (
    <>
      {value?.truncated === true && (
        <p class="about">There are more intervals than can be shown: these are the first ones. Choose longer ones.</p>
      )}
      <TimeChart data={data} />
      <ChartTable data={data} name={name} address={address} />
    </>
  )
}
