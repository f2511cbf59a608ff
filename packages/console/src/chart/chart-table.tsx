import type { JSX } from 'preact'
import { csvOf } from '../parts/csv.ts'
import { saveFile } from '../parts/save-file.ts'
import { ScrollTable } from '../parts/values.tsx'
import type { TimeChartData } from './series.ts'

/** The numbers behind a chart: as a table, as CSV, and where they come from. */
export function ChartTable({
  data,
  name,
  address,
}: {
  data: TimeChartData
  name: string
  address: string
}): JSX.Element {
  const series = [...data.bars, ...data.lines]
  const save = (): void => {
    const head = ['start', ...series.map(({ title }) => title)]
    const rows = data.starts.map((start, at) => [
      new Date(start).toISOString(),
      ...series.map(({ values }) => values[at]),
    ])
    saveFile(`incipit-${name}.csv`, new Blob([csvOf([head, ...rows])], { type: 'text/csv' }))
  }
  return (
    <details class="behind">
      <summary>The numbers</summary>
      <p class="row">
        <button type="button" onClick={save}>
          Save as CSV
        </button>
        <code>GET /{address.replaceAll('%3A', ':').replaceAll('%2F', '/')}</code>
      </p>
      <ScrollTable label={data.label}>
        <thead>
          <tr>
            <th scope="col">interval</th>
            {series.map(({ title }) => (
              <th key={title} scope="col" class="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.starts.map((start, at) => (
            <tr key={start}>
              <th scope="row">{data.nameOf(start)}</th>
              {series.map(({ title, values, format }) => (
                <td key={title} class="number">
                  {format(values[at])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </ScrollTable>
    </details>
  )
}
