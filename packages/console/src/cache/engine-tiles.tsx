import type { JSX } from 'preact'
import type { EngineState } from '../api/engine.ts'
import { byteText, countText, percentText, shareOf } from '../format/amounts.ts'
import { Tile } from '../parts/tile.tsx'
import { NotReported } from '../parts/values.tsx'
import { hrefOf } from '../state/place.ts'

/** The engine as a whole. */
export function EngineTiles({ engine }: { engine: EngineState }): JSX.Element {
  const { resident_bytes: resident, budget_bytes: budget, restarts, models = [] } = engine
  const sum = (name: string): number => models.reduce((total, { tokens }) => total + (tokens?.[name] ?? 0), 0)
  const used = shareOf(resident, budget)
  const found = shareOf(sum('cached'), sum('queried'))
  const dropped = models.reduce((total, { pins }) => total + (pins?.dropped ?? 0), 0)
  return (
    <section aria-label="The local engine" class="engine-tiles">
      <dl class="tiles">
        <Tile name="Memory" value={byteText(resident)} bad={(used ?? 0) > 1.1}>
          {used === undefined ? <NotReported /> : percentText(used)} of a budget of {byteText(budget)}
        </Tile>
        <Tile name="Running" value={countText(engine.running)}>
          {countText(engine.queued)} waiting
        </Tile>
        <Tile name="Cached share, per token" value={found === undefined ? '–' : percentText(found)}>
          {countText(sum('cached'))} of {countText(sum('queried'))} tokens looked up since it started.{' '}
          <a href={hrefOf('overview', { upstream: 'engine', node: undefined, local: undefined })}>Over time</a>
        </Tile>
        <Tile name="Evicted" value={countText(sum('evicted'))}>
          tokens of live state that gave way; what RAM and disk hold of them is still found
        </Tile>
        <Tile name="Restarts" value={countText(restarts)} bad={(restarts ?? 0) > 0}>
          of its process{dropped > 0 && <>; {countText(dropped)} pins dropped for want of room</>}
        </Tile>
      </dl>
    </section>
  )
}
