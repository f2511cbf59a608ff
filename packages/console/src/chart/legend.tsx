import type { JSX } from 'preact'
import type { Series, TimeChartData } from './series.ts'

/** Names the colours, with the numbers of the interval pointed at, or of all of them. */
export function Legend({ data, pointed }: { data: TimeChartData; pointed: number | undefined }): JSX.Element {
  const series = [...data.bars, ...data.lines]
  const start = pointed === undefined ? undefined : data.starts[pointed]
  return (
    <figcaption class="legend">
      <span class="legend-when">{start === undefined ? 'all intervals' : data.nameOf(start)}</span>
      <ul>
        {series.map((one, index) => (
          <li key={one.title}>
            <span
              class={`swatch ${index < data.bars.length ? 'bar' : 'line'}`}
              style={{ background: `var(${one.colour})` }}
            />
            {one.title} <b>{valueOf(one, index, { data, pointed: start === undefined ? undefined : pointed })}</b>
          </li>
        ))}
      </ul>
    </figcaption>
  )
}

function valueOf(
  series: Series,
  index: number,
  { data, pointed }: { data: TimeChartData; pointed: number | undefined },
): string {
  return pointed === undefined ? (data.totals[index] ?? '') : series.format(series.values[pointed])
}
