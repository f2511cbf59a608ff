import type { JSX } from 'preact'
import type { ControlSide, Totals } from '../api/summary.ts'
import { percentText, shareOf } from '../format/amounts.ts'
import { Heads, NumberCell, TokenCells, tokenTitles } from '../parts/cells.tsx'
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
            <Heads of={['group']} />
            <Heads number of={['requests', ...tokenTitles, 'cached, per token', 'cost', 'without caching', 'saved']} />
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
      <NumberCell>
        <Count of={side?.requests} />
      </NumberCell>
      <TokenCells of={side} />
      <NumberCell>
        <Share of={shareOf(side?.cached_input_tokens, side?.input_tokens)} />
      </NumberCell>
      <NumberCell>
        <Dollars of={side?.cost_usd} />
      </NumberCell>
      <NumberCell>
        <Dollars of={side?.counterfactual_usd} />
      </NumberCell>
      <NumberCell>{savedShare(side)}</NumberCell>
    </tr>
  )
}
