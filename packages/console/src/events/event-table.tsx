import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import type { EventRow } from '../api/event.ts'
import { textIn } from '../api/event.ts'
import { fullMomentText, momentText } from '../format/times.ts'
import { hrefOf } from '../state/place.ts'
import { timeZone } from '../state/time-range.ts'
import type { Column } from './columns.tsx'

/** The events of a page. On a narrow screen each becomes a card; roles say that it is a table all the same. */
export function EventTable({ columns, rows }: { columns: readonly Column[]; rows: readonly EventRow[] }): JSX.Element {
  const rowOf = useKeptRows(columns)
  return (
    <div class="scroll events-scroll" role="region" aria-label="Events" tabIndex={0}>
      <table class="events cards" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">
              time
            </th>
            {columns.map((column) => (
              <th key={column.id} scope="col" role="columnheader" class={column.number === true ? 'number' : undefined}>
                <Title of={column.title} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">{rows.map(rowOf)}</tbody>
      </table>
    </div>
  )
}

/** A row that says the same as before is not drawn again: of a thousand, a refresh changes a few. */
function useKeptRows(columns: readonly Column[]): (event: EventRow) => JSX.Element {
  const kept = useRef(new Map<string, JSX.Element>())
  const before = kept.current
  const after = new Map<string, JSX.Element>()
  kept.current = after
  const manner = [hrefOf('events', { event: '' }), timeZone(), ...columns.map(({ id }) => id)].join(' ')
  return (event) => {
    const name = `${manner} ${JSON.stringify(event)}`
    const row = before.get(name) ?? <Row key={textIn(event, 'id')} event={event} columns={columns} />
    after.set(name, row)
    return row
  }
}

function Row({ event, columns }: { event: EventRow; columns: readonly Column[] }): JSX.Element {
  const [id, at] = [textIn(event, 'id') ?? '', textIn(event, 'at') ?? '']
  return (
    <tr role="row" data-id={id} class={`kind-${textIn(event, 'kind') ?? 'request'}`}>
      <th scope="row" role="rowheader" class="when">
        <a
          class="row-link"
          href={hrefOf('events', { event: id })}
          title={`${fullMomentText(at, timeZone())}, details of ${id}`}
        >
          <time dateTime={at}>{momentText(at, timeZone())}</time>
        </a>
      </th>
      {columns.map((column) => (
        <td
          key={column.id}
          role="cell"
          data-column={column.id}
          data-title={column.title}
          class={column.number === true ? 'number' : 'text'}
        >
          {column.cell(event)}
        </td>
      ))}
    </tr>
  )
}

/** Names of fields may break behind their underscores. */
function Title({ of: title }: { of: string }): JSX.Element {
  const parts = title.split('_')
  return (
    <>
      {parts.map((part, at) => (
        <>
          {part}
          {at < parts.length - 1 && (
            <>
              _<wbr />
            </>
          )}
        </>
      ))}
    </>
  )
}
