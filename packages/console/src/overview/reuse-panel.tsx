import type { JSX } from 'preact'
import type { ReuseBand, Totals } from '../api/summary.ts'
import { countText, percentText } from '../format/amounts.ts'
import { Panel } from '../parts/notice.tsx'
import { NotReported } from '../parts/values.tsx'

const bands = [
  { name: 'first', title: 'First use of a prefix', target: [0, 0] },
  { name: 'same_session', title: 'Again in the same session', target: [0.6, 0.9] },
  { name: 'across_sessions', title: 'Again in other sessions', target: [0.4, 0.7] },
] as const

/** How much was read from caches where it could be, beside the range to expect. */
export function ReusePanel({ totals }: { totals: Totals }): JSX.Element {
  return (
    <Panel title="Cached share by reuse" id="reuse">
      <p class="about">Per token. The shaded range is the target; the mark is what was measured.</p>
      <ul class="bands">
        {bands.map(({ name, title, target }) => (
          <Band key={name} title={title} band={totals.reuse?.[name]} target={target} />
        ))}
      </ul>
    </Panel>
  )
}

function Band(props: { title: string; band: ReuseBand | undefined; target: readonly [number, number] }): JSX.Element {
  const { band, title } = props
  const [low, high] = band?.target ?? props.target
  const ratio = band?.ratio
  return (
    <li>
      <div class="band-head">
        <span>{title}</span>
        <b>
          {typeof ratio === 'number' ? (
            percentText(ratio)
          ) : ratio === null ? (
            <span class="absent">none yet</span>
          ) : (
            <NotReported />
          )}
        </b>
      </div>
      <div class="band" aria-hidden="true">
        <span class="band-target" style={{ left: `${low * 100}%`, width: `${Math.max(high - low, 0.01) * 100}%` }} />
        {typeof ratio === 'number' && <span class="band-mark" style={{ left: `${Math.min(1, ratio) * 100}%` }} />}
      </div>
      <div class="about">
        target {low === high ? percentText(low) : `${percentText(low)} to ${percentText(high)}`}
        {typeof ratio === 'number' && (
          <>
            , <Standing ratio={ratio} low={low} high={high} />
          </>
        )}
        {band !== undefined && (
          <>
            {' '}
            · {countText(band.cached_input_tokens)} of {countText(band.input_tokens)} tokens in{' '}
            {countText(band.requests)} {band.requests === 1 ? 'request' : 'requests'}
          </>
        )}
      </div>
    </li>
  )
}

/** More than was to be expected is outside the range too, and no reason to worry. */
function Standing({ ratio, low, high }: { ratio: number; low: number; high: number }): JSX.Element {
  if (ratio < low) return <span class="chip warn">below</span>
  return <span class="chip good">{ratio > high ? 'above' : 'within'}</span>
}
