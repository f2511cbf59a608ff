import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { EventRow, FieldValue } from '../api/event.ts'
import { numberIn, textIn } from '../api/event.ts'
import { countText, exactDollars, millisecondText } from '../format/amounts.ts'
import { fullMomentText } from '../format/times.ts'
import { Notice, Waiting } from '../parts/notice.tsx'
import { Pairs } from '../parts/pairs.tsx'
import { NotKnown, NotReported } from '../parts/values.tsx'
import { change, hrefOf } from '../state/place.ts'
import { timeZone } from '../state/time-range.ts'
import { useAnswer } from '../state/use-answer.ts'
import { Attempts } from './attempts.tsx'

/** All that is known of one event, beside the table; Esc closes it. */
export function EventDetails({ id }: { id: string }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const answer = useAnswer<EventRow>({
    address: `v1/events/${encodeURIComponent(id)}`,
  })
  useEffect(() => {
    const opener = document.activeElement
    const element = dialog.current
    element?.showModal()
    return () => {
      element?.close()
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
    }
  }, [])
  const close = (): void => change({ event: undefined })
  const event = answer.value
  return (
    <dialog
      ref={dialog}
      class="details"
      aria-labelledby="details-title"
      onCancel={(cancelled) => {
        cancelled.preventDefault()
        close()
      }}
      // A click beside it closes it too, where the browser knows how.
      {...{ closedby: 'any' }}
    >
      <div class="details-body">
        <header class="panel-head">
          <h2 id="details-title">
            Event <code>{id}</code>
          </h2>
          <button type="button" onClick={close}>
            Close
          </button>
        </header>
        <Notice of={answer} what="event" />
        <Waiting of={answer} />
        {event !== undefined && <Fields event={event} />}
      </div>
    </dialog>
  )
}

const apart = new Set(['usage', 'raw_usage'])

function Fields({ event }: { event: EventRow }): JSX.Element {
  const parent = textIn(event, 'parent_id')
  const names = Object.keys(event).filter((name) => !apart.has(name))
  return (
    <>
      {parent !== undefined && (
        <p>
          Part of <a href={hrefOf('events', { event: parent })}>{parent}</a>
        </p>
      )}
      <h3>Usage, in buckets that do not overlap</h3>
      <Pairs of={bucketsOf(event)} />
      <h3>Fields</h3>
      <Pairs of={names.map((name) => [name, <Value key={name} name={name} of={event[name]} />])} />
      <h3>Usage as the upstream sent it</h3>
      {event['raw_usage'] === null || event['raw_usage'] === undefined ? (
        <p>
          <NotReported />
        </p>
      ) : (
        <pre tabIndex={0}>{JSON.stringify(event['raw_usage'], null, 2)}</pre>
      )}
      {event['kind'] === 'request' && <Attempts of={event} />}
    </>
  )
}

function bucketsOf(event: EventRow): (readonly [string, JSX.Element])[] {
  const usage = event['usage']
  const buckets = typeof usage === 'object' && usage !== null && !Array.isArray(usage) ? Object.entries(usage) : []
  const reported = numberIn(event, 'reported_input_tokens')
  const total = numberIn(event, 'input_tokens')
  const rows = buckets.map(([name, value]) => [name, <Value key={name} name={`${name}_tokens`} of={value} />] as const)
  if (reported === undefined || reported === total) return rows
  return [
    ...rows,
    [
      "the provider's own total",
      <b key="reported" class="negative">{`${countText(reported)}, the buckets sum to ${countText(total)}`}</b>,
    ],
  ]
}

function Value({ name, of: value }: { name: string; of: FieldValue }): JSX.Element {
  if (value === null || value === undefined) return <Absent name={name} />
  if (typeof value === 'boolean') return <>{value ? 'yes' : 'no'}</>
  if (typeof value === 'number') return <>{numberText(name, value)}</>
  if (typeof value === 'string') return <>{name === 'at' ? fullMomentText(value, timeZone()) : value}</>
  if (Array.isArray(value)) {
    return value.length === 0 ? (
      <>none</>
    ) : (
      <ul>
        {value.map((item: FieldValue, at) => (
          <li key={at}>{typeof item === 'string' ? item : JSON.stringify(item)}</li>
        ))}
      </ul>
    )
  }
  return <code>{JSON.stringify(value)}</code>
}

/** Counts are reported or not, money is known or not, and the rest is there or not. */
function Absent({ name }: { name: string }): JSX.Element {
  if (/_usd$|^price_id$/.test(name)) return <NotKnown />
  return /_tokens$|_ms$|_headroom$|^(?:verdict|cause|reuse)$/.test(name) ? (
    <NotReported />
  ) : (
    <span class="quiet">–</span>
  )
}

function numberText(name: string, value: number): string {
  if (name.endsWith('_usd')) return exactDollars(value)
  if (name.endsWith('_ms')) return `${millisecondText(value)} (${value} ms)`
  if (name.endsWith('_tokens')) return countText(value)
  return String(value)
}
