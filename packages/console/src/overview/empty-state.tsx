import type { JSX } from 'preact'
import { FirstRequest } from '../parts/first-request.tsx'
import { filters, noFilters } from '../state/filters.ts'
import { change } from '../state/place.ts'
import { rangeName, rangeWords } from '../state/time-range.ts'

/** There is nothing to show: why that may be, and how to send a first request. */
export function EmptyState(): JSX.Element {
  const narrowed = Object.keys(filters()).length > 0
  return (
    <section class="panel empty" aria-labelledby="empty-title">
      <h2 id="empty-title">
        No requests {rangeWords()}
        {narrowed && ' with these filters'}
      </h2>
      <p class="row">
        {rangeName() !== 'all' && (
          <button type="button" onClick={() => change({ range: 'all', since: undefined, until: undefined })}>
            Show all time
          </button>
        )}
        {narrowed && (
          <button type="button" onClick={() => change(noFilters)}>
            Clear filters
          </button>
        )}
      </p>
      {!narrowed && (
        <FirstRequest>
          <p>Send the first one:</p>
        </FirstRequest>
      )}
    </section>
  )
}
