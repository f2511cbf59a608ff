import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { addressOf } from '../api/ask.ts'
import type { EventPage } from '../api/event.ts'
import { FilterBar } from '../parts/filter-bar.tsx'
import { Notice, Panel, Waiting } from '../parts/notice.tsx'
import { Select } from '../parts/values.tsx'
import { filters } from '../state/filters.ts'
import { change, setting } from '../state/place.ts'
import { moments, rangeWords } from '../state/time-range.ts'
import type { Question } from '../state/use-answer.ts'
import { useAnswer } from '../state/use-answer.ts'
import { ColumnPicker } from './column-picker.tsx'
import { chosenColumns, fieldsOf } from './columns.tsx'
import { Downloads } from './downloads.tsx'
import { EventDetails } from './event-details.tsx'
import { EventTable } from './event-table.tsx'
import { FindById } from './find-by-id.tsx'
import { Pager } from './pager.tsx'
import { useKeys } from './use-keys.ts'

const sizes = ['25', '50', '100', '250', '1000']
const standardSize = '50'

/** Every request, newest first, with what it read from caches, cost and saved. */
export function Events(): JSX.Element {
  const chosen = chosenColumns()
  const answer = useAnswer<EventPage>(eventsQuestion(fieldsOf(chosen)))
  const earlier = useSignal<readonly string[]>([])
  const rows = answer.value?.data ?? []
  const opened = setting('event')
  useKeys()
  return (
    <>
      <FilterBar>
        <FindById />
      </FilterBar>
      <Panel title="Spend → Events" id="events" busy={answer.pending} tools={<Tools />}>
        <Notice of={answer} what="events" />
        <Waiting of={answer} />
        {rows.length > 0 && <EventTable columns={chosen} rows={rows} />}
        {answer.value !== undefined && rows.length === 0 && (
          <p class="quiet">
            No events {rangeWords()}
            {Object.keys(filters()).length > 0 && ' with these filters'}.
          </p>
        )}
        {answer.value !== undefined && <Pager next={answer.value.next_cursor} shown={rows.length} earlier={earlier} />}
        <Downloads fields={fieldsOf(chosen)} />
        <p class="about keys">
          Keys: <kbd>/</kbd> filter, <kbd>j</kbd> <kbd>k</kbd> next and previous row, <kbd>Enter</kbd> details,{' '}
          <kbd>Esc</kbd> close
        </p>
      </Panel>
      {opened !== undefined && <EventDetails key={opened} id={opened} />}
    </>
  )
}

function Tools(): JSX.Element {
  return (
    <div class="row">
      <ColumnPicker />
      <Select
        label="Rows"
        value={setting('rows') ?? standardSize}
        options={sizes.map((size) => [size, size] as const)}
        choose={(size) => change({ rows: size === standardSize ? undefined : size, cursor: undefined })}
      />
    </div>
  )
}

function eventsQuestion(fields: string): Question {
  const [cursor, limit] = [setting('cursor'), sizes.find((size) => size === setting('rows')) ?? standardSize]
  return {
    address: addressOf('v1/events', { ...moments(), ...filters(), fields, limit, cursor }),
    // Older pages stay as they are.
    everyMs: cursor === undefined ? 5_000 : undefined,
  }
}
