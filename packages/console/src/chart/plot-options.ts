import uPlot from 'uplot'
import { percentText } from '../format/amounts.ts'
import type { Series, TimeChartData } from './series.ts'
import { sumTo } from './series.ts'

/* oxlint-disable typescript/no-unsafe-enum-assignment -- uPlot's constants exist in its types only. */
const scaleValue = 1 as uPlot.Series.BarsPathBuilderFacetUnit.ScaleValue
const colourValue = 3 as uPlot.Series.BarsPathBuilderFacetUnit.Color
const right = 1 as uPlot.Axis.Side.Right
/* oxlint-enable typescript/no-unsafe-enum-assignment */

interface Canvas {
  readonly width: number
  readonly height: number
  /** Where CSS variables are looked up. */
  readonly element: HTMLElement
}

/** Seconds between ticks, from which on: how a tick is named, and what is added where a year or a day begins. */
const timeTicks: (string | number | null)[][] = [
  [365 * 86_400, '{YYYY}', null, null, null, null, null, null, 1],
  [28 * 86_400, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [86_400, '{MMM} {D}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{MMM} {D}', null, '\n{MMM} {D}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{MMM} {D}', null, '\n{MMM} {D}', null, null, null, 1],
]

/** How uPlot is to draw `data`. */
export function plotOptions(data: TimeChartData, { width, height, element }: Canvas): uPlot.Options {
  const ink = colourOf('--quiet', element)
  const line = colourOf('--line', element)
  const axis = {
    stroke: ink,
    font: '12px system-ui, sans-serif',
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  }
  const amounts = { ...axis, size: 68, values: (_: uPlot, ticks: number[]) => ticks.map(data.axis) }
  const shares = {
    ...axis,
    scale: 'share',
    side: right,
    size: 56,
    grid: { show: false },
    values: (_: uPlot, ticks: number[]) => ticks.map(percentText),
  }
  return {
    width,
    height,
    // Charts above each other have their times above each other.
    padding: [10, data.linesAreShares ? 0 : shares.size, 0, 0],
    legend: { show: false },
    cursor: { points: { show: false }, drag: { x: false, y: false }, y: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), data.timeZone),
    scales: {
      x: { time: true, range: () => reach(data) },
      y: { range: (_, low, high) => spanOf(low, high) },
      share: { range: () => [0, 1] },
    },
    axes: [{ ...axis, grid: { show: false }, values: timeTicks }, amounts, ...(data.linesAreShares ? [shares] : [])],
    series: [
      {},
      ...data.bars.map((series, index) => barSeries(series, index, data, element)),
      ...data.lines.map((series) => lineSeries(series, data, element)),
    ],
  }
}

/** What a CSS variable means right now; a canvas knows no variables. */
function colourOf(name: string, element: HTMLElement): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function barSeries(series: Series, index: number, data: TimeChartData, element: HTMLElement): uPlot.Series {
  const { starts, lengthMs, bars } = data
  const seconds = lengthMs / 1_000
  const colour = colourOf(series.colour, element)
  const lost = colourOf('--bad', element)
  const at = <T>(value: (at: number) => T): T[] => starts.map((_, position) => value(position))
  const draw = uPlot.paths.bars?.({
    disp: {
      x0: { unit: scaleValue, values: () => starts.map((start) => start / 1_000 + seconds * 0.06) },
      size: { unit: scaleValue, values: () => at(() => seconds * 0.88) },
      y0: { unit: scaleValue, values: () => at((position) => sumTo(bars, index - 1, position)) },
      y1: { unit: scaleValue, values: () => at((position) => sumTo(bars, index, position)) },
      fill: { unit: colourValue, values: () => at((position) => ((series.values[position] ?? 0) < 0 ? lost : colour)) },
    },
    size: [1, Number.POSITIVE_INFINITY, 1],
  })
  return { label: series.title, fill: colour, width: 0, points: { show: false }, ...(draw && { paths: draw }) }
}

function lineSeries(series: Series, data: TimeChartData, element: HTMLElement): uPlot.Series {
  const colour = colourOf(series.colour, element)
  return {
    label: series.title,
    scale: data.linesAreShares ? 'share' : 'y',
    stroke: colour,
    width: 2,
    spanGaps: false,
    points: { show: true, size: 5, fill: colour, stroke: colour },
  }
}

/** The time axis, wide enough for the first interval and the last. */
function reach({ starts, lengthMs, from, to }: TimeChartData): [number, number] {
  const first = starts[0] ?? from ?? 0
  const last = (starts.at(-1) ?? first) + lengthMs
  return [Math.min(first, from ?? first) / 1_000, Math.max(last, to ?? last) / 1_000]
}

function spanOf(low: number | null, high: number | null): [number, number] {
  const bottom = Math.min(0, low ?? 0)
  const top = Math.max(0, high ?? 0)
  const room = (top - bottom) * 0.06
  return bottom === top ? [0, 1] : [bottom === 0 ? 0 : bottom - room, top === 0 ? 0 : top + room]
}
