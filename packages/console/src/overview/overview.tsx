import type { JSX } from 'preact'
import type { Summary } from '../api/summary.ts'
import { FilterBar } from '../parts/filter-bar.tsx'
import { Notice, Waiting } from '../parts/notice.tsx'
import { Select } from '../parts/values.tsx'
import { change, setting } from '../state/place.ts'
import { intervals } from '../state/time-range.ts'
import { useAnswer } from '../state/use-answer.ts'
import { ControlPanel } from './control-panel.tsx'
import { CostPanel } from './cost-panel.tsx'
import { EmptyState } from './empty-state.tsx'
import { GroupPanel } from './group-panel.tsx'
import { HitPanel } from './hit-panel.tsx'
import { PrefixPanel } from './prefix-panel.tsx'
import { ReusePanel } from './reuse-panel.tsx'
import { SavedPanel } from './saved-panel.tsx'
import { seriesQuestion, totalsQuestion } from './summary-question.ts'
import { Tiles } from './tiles.tsx'
import { TtftPanel } from './ttft-panel.tsx'

/** What caching does, in totals, over time and by group. */
export function Overview(): JSX.Element {
  const totals = useAnswer<Summary>(totalsQuestion())
  const series = useAnswer<Summary>(seriesQuestion(totals.value))
  const { value } = totals
  const empty = value?.requests === 0
  return (
    <>
      <FilterBar>
        <Select
          label="Interval"
          value={setting('interval') ?? ''}
          options={[['', 'automatic'], ...intervals.map((name) => [name, name] as const)]}
          choose={(name) => change({ interval: name })}
        />
      </FilterBar>
      <Notice of={totals} what="totals" />
      <Waiting of={totals} />
      {empty && <EmptyState />}
      {value !== undefined && !empty && (
        <>
          <Tiles totals={value} />
          <HitPanel answer={series} address={seriesQuestion(value).address} />
          <SavedPanel answer={series} address={seriesQuestion(value).address} />
          <div class="columns">
            <ReusePanel totals={value} />
            <CostPanel totals={value} />
          </div>
          <TtftPanel totals={value} />
          <GroupPanel />
          <ControlPanel totals={value} />
          <PrefixPanel />
        </>
      )}
    </>
  )
}
