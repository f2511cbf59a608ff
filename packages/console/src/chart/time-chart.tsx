import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { theme } from '../state/theme.ts'
import { Legend } from './legend.tsx'
import { plotOptions } from './plot-options.ts'
import type { Series, TimeChartData } from './series.ts'
import { sumTo } from './series.ts'

const height = 240

/** A chart with a legend that follows the pointer. The table beside it says the same in numbers. */
export function TimeChart({ data: given }: { data: TimeChartData }): JSX.Element {
  const data = withGaps(given)
  const place = useRef<HTMLDivElement>(null)
  const pointed = useSignal<number | undefined>(undefined)
  const shown = theme.value

  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const options = plotOptions(data, { width: element.clientWidth, height, element })
    options.hooks = {
      setCursor: [
        ({ cursor }) => {
          pointed.value = cursor.idx ?? undefined
        },
      ],
    }
    const plot = new uPlot(options, plotData(data), element)
    const resized = new ResizeObserver(() => {
      const width = element.clientWidth
      if (width > 0 && width !== plot.width) plot.setSize({ width, height })
    })
    resized.observe(element)
    return () => {
      resized.disconnect()
      plot.destroy()
    }
  }, [JSON.stringify(data), shown])

  return (
    <figure class="chart">
      <Legend data={data} pointed={pointed.value} />
      <div ref={place} class="plot" role="img" aria-label={data.label} />
    </figure>
  )
}

/** Middles of the intervals, then bars (the sums up to each), then lines. */
function plotData({ starts, lengthMs, bars, lines }: TimeChartData): uPlot.AlignedData {
  const middles = starts.map((start) => (start + lengthMs / 2) / 1_000)
  const heights = bars.map((_, index) => starts.map((_, at) => sumTo(bars, index, at)))
  return [middles, ...heights, ...lines.map(({ values }) => values.map((value) => value ?? null))]
}

/** The same with an empty interval wherever some are left out: a line must not lead across them. */
function withGaps(data: TimeChartData): TimeChartData {
  const { starts, lengthMs } = data
  const places = starts.flatMap((start, at) => {
    const before = starts[at - 1]
    const apart = before !== undefined && start - before > 1.5 * lengthMs
    return apart
      ? [
          { start: before + lengthMs, at: -1 },
          { start, at },
        ]
      : [{ start, at }]
  })
  if (places.length === starts.length) return data
  const spread = (series: Series): Series => ({ ...series, values: places.map(({ at }) => series.values[at]) })
  return {
    ...data,
    starts: places.map(({ start }) => start),
    bars: data.bars.map(spread),
    lines: data.lines.map(spread),
  }
}
