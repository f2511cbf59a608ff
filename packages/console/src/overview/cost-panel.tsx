import type { JSX } from 'preact'
import type { Reported, Totals } from '../api/summary.ts'
import { percentText } from '../format/amounts.ts'
import { NumberCell } from '../parts/cells.tsx'
import { Panel } from '../parts/notice.tsx'
import { Dollars, NotReported } from '../parts/values.tsx'

const parts = [
  ['fresh', 'Plain input'],
  ['read', 'Cache reads'],
  ['write', 'Cache writes'],
  ['output', 'Output'],
  ['storage', 'Storage of caches'],
  ['ping', 'Keep-alive'],
  ['prewarm', 'Warming up'],
] as const

/** What the bill is made of, and what it would be without caching. */
export function CostPanel({ totals }: { totals: Totals }): JSX.Element {
  return (
    <Panel title="What the cost is made of" id="cost">
      <table class="plain">
        <tbody>
          {parts.map(([name, title]) => (
            <Row key={name} title={title} value={totals.cost_parts?.[name]} />
          ))}
          <Row title="Cost" value={totals.cost_usd} total />
          <Row title="Without caching" value={totals.counterfactual_usd} />
          <Row title="Saved, net" value={totals.saved_usd} total />
        </tbody>
      </table>
      <Headroom totals={totals} />
    </Panel>
  )
}

function Row({ title, value, total }: { title: string; value: Reported; total?: boolean }): JSX.Element {
  return (
    <tr class={total === true ? 'total' : undefined}>
      <th scope="row">{title}</th>
      <NumberCell>
        <Dollars of={value} />
      </NumberCell>
    </tr>
  )
}

/** What providers' rate limits left at the tightest moment. */
function Headroom({ totals: { headroom } }: { totals: Totals }): JSX.Element {
  const part = (value: Reported): JSX.Element =>
    typeof value === 'number' ? <b>{percentText(value)}</b> : <NotReported />
  return (
    <p class="about">
      Least room left in rate limits: requests {part(headroom?.requests)}, tokens {part(headroom?.tokens)}
    </p>
  )
}
