import type { JSX } from 'preact'
import type { ByTemperature, Quantiles, Reported, Totals } from '../api/summary.ts'
import { countText, millisecondText } from '../format/amounts.ts'
import { Heads, NumberCell } from '../parts/cells.tsx'
import { Panel } from '../parts/notice.tsx'
import { NotReported, ScrollTable } from '../parts/values.tsx'

/** Time to the first token, cold beside warm, over all and by the size of the prompt. */
export function TtftPanel({ totals: { ttft } }: { totals: Totals }): JSX.Element {
  const sizes = (ttft?.by_prompt_size ?? []).filter(({ cold, warm }) => (cold?.count ?? 0) + (warm?.count ?? 0) > 0)
  return (
    <Panel title="Time to first token, cold and warm" id="ttft">
      {ttft === undefined || ttft === null ? (
        <p>
          <NotReported />
        </p>
      ) : (
        <ScrollTable label="Time to first token by prompt size">
          <thead>
            <tr>
              <th scope="col" rowSpan={2}>
                prompt
              </th>
              <th scope="colgroup" colSpan={4} class="group">
                cold
              </th>
              <th scope="colgroup" colSpan={4} class="group">
                warm
              </th>
              <th scope="col" rowSpan={2} class="number">
                cold ÷ warm, p50
              </th>
            </tr>
            <tr>
              <QuantileHeads />
              <QuantileHeads />
            </tr>
          </thead>
          <tbody>
            <Row title="all sizes" of={ttft} />
            {sizes.map((size) => (
              <Row key={size.from} title={sizeText(size.from, size.to)} of={size} />
            ))}
          </tbody>
        </ScrollTable>
      )}
    </Panel>
  )
}

function QuantileHeads(): JSX.Element {
  return <Heads number of={['requests', 'p50', 'p90', 'p99']} />
}

function Row({ title, of: { cold, warm } }: { title: string; of: ByTemperature }): JSX.Element {
  return (
    <tr>
      <th scope="row">{title}</th>
      <QuantileCells of={cold} />
      <QuantileCells of={warm} />
      <NumberCell>{factorText(cold?.p50_ms, warm?.p50_ms)}</NumberCell>
    </tr>
  )
}

function QuantileCells({ of: quantiles }: { of: Quantiles | null | undefined }): JSX.Element {
  const none = (quantiles?.count ?? 0) === 0
  const cell = (ms: Reported): string => (none ? '–' : millisecondText(ms))
  return (
    <>
      <NumberCell start>{none ? '0' : countText(quantiles?.count)}</NumberCell>
      <NumberCell>{cell(quantiles?.p50_ms)}</NumberCell>
      <NumberCell>{cell(quantiles?.p90_ms)}</NumberCell>
      <NumberCell>{cell(quantiles?.p99_ms)}</NumberCell>
    </>
  )
}

function factorText(cold: Reported, warm: Reported): string {
  if (typeof cold !== 'number' || typeof warm !== 'number' || warm === 0) return '–'
  return `${(cold / warm).toFixed(1)} ×`
}

function sizeText(from: Reported, to: Reported): string {
  const kilo = (tokens: number): string => `${tokens / (tokens % 1_000 === 0 ? 1_000 : 1_024)}k`
  const low = typeof from === 'number' && from > 0 ? kilo(from) : '0'
  return typeof to === 'number' ? `${low} to ${kilo(to)} tokens` : `${low} tokens and more`
}
