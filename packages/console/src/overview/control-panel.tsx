import type { JSX } from 'preact'
import type { ControlSide, Totals } from '../api/summary.ts'
import { percentText, shareOf } from '../format/amounts.ts'
import { Panel } from '../parts/notice.tsx'
import { Count, Dollars, NotKnown, ScrollTable, Share } from '../parts/values.tsx'

/** Requests that were served as without Incipit, beside the others; only where there are any. */
export function ControlPanel({ totals: { control } }: { totals: Totals }): JSX.Element | null {
  if ((control?.control?.requests ?? 0) === 0) return null
  return (
    <Panel title="Control group" id="control">
      <p class="about">Requests drawn at random and passed on as they came, beside all others.</p>
      <ScrollTable label="Control group">
        <thead>
          <tr>
            {[
              'group',
              'requests',
              'input_tokens',
              'cached_input_tokens',
              'cached, per token',
              'cost',
              'without caching',
              'saved',
            ].map((title, at) => (
              <th key={title} scope="col" class={at === 0 ? undefined : 'number'}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Side title="treated" of={control?.treated} />
          <Side title="control" of={control?.control} />
        </tbody>
      </ScrollTable>
    </Panel>
  )
}

/** What groups of different size are compared by: of each, the part of what it would have cost. */
function savedShare(side: ControlSide | null | undefined): JSX.Element | string {
  const [cost, without] = [side?.cost_usd, side?.counterfactual_usd]
  if (typeof cost !== 'number' || typeof without !== 'number') return <NotKnown />
  const share = shareOf(without - cost, without)
  return share === undefined ? '–' : percentText(share)
}

function Side({ title, of: side }: { title: string; of: ControlSide | null | undefined }): JSX.Element {
  return (
    <tr>
      <th scope="row">{title}</th>
      <td class="number">
        <Count of={side?.requests} />
      </td>
      <td class="number">
        <Count of={side?.input_tokens} />
      </td>
      <td class="number">
        <Count of={side?.cached_input_tokens} />
      </td>
      <td class="number">
        <Share of={shareOf(side?.cached_input_tokens, side?.input_tokens)} />
      </td>
      <td class="number">
        <Dollars of={side?.cost_usd} />
      </td>
      <td class="number">
        <Dollars of={side?.counterfactual_usd} />
      </td>
      <td class="number">{savedShare(side)}</td>
    </tr>
  )
}
