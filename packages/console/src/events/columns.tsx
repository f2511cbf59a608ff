import type { ComponentChildren } from 'preact'
import type { EventRow } from '../api/event.ts'
import { hasUsage, numberIn, textIn, writtenBy } from '../api/event.ts'
import { countText, millisecondText, shareOf } from '../format/amounts.ts'
import { Count, Dollars, NotReported, Share } from '../parts/values.tsx'
import { setting } from '../state/place.ts'

/** A column of the table of events. */
export interface Column {
  readonly id: string
  readonly title: string
  /** What the API has to send for it. */
  readonly fields: readonly string[]
  readonly number?: boolean
  readonly standard?: boolean
  readonly cell: (event: EventRow) => ComponentChildren
}

const nothing = <span class="quiet">–</span>

/** Every column there is, in the order they are shown. */
export const columns: readonly Column[] = [
  text('model', { standard: true }),
  text('served_model'),
  { ...text('upstream'), standard: true, cell: placeOf },
  { id: 'status', title: 'status', fields: ['status', 'error_code'], standard: true, cell: statusCell },
  text('provider'),
  text('replica'),
  text('dialect'),
  text('org'),
  text('key'),
  text('session'),
  tokens('input_tokens', { standard: true }),
  tokens('cached_input_tokens', { standard: true }),
  {
    id: 'share',
    title: 'cached share',
    fields: ['input_tokens', 'cached_input_tokens'],
    number: true,
    standard: true,
    cell: shareCell,
  },
  {
    id: 'written',
    title: 'written',
    fields: ['write_5m_tokens', 'write_30m_tokens', 'write_1h_tokens', 'write_12h_tokens'],
    number: true,
    standard: true,
    cell: (event) => ofUsage(event, <Count of={writtenBy(event)} />),
  },
  tokens('fresh_tokens'),
  tokens('expected_tokens'),
  tokens('evaluated_tokens'),
  tokens('output_tokens', { standard: true }),
  dollars('cost_usd', 'cost', { standard: true }),
  dollars('counterfactual_usd', 'without caching'),
  dollars('saved_usd', 'saved', { standard: true }),
  { ...text('verdict'), standard: true, cell: verdictCell },
  text('cause', { standard: true }),
  text('reuse'),
  milliseconds('ttft_ms', 'TTFT', { standard: true }),
  milliseconds('total_ms', 'total time'),
  text('service_tier'),
  text('price_id'),
  text('wire_hash'),
  flag('stream'),
  flag('control'),
  list('edits'),
  list('warnings'),
  text('id'),
]

/** The columns of the address, or the standard ones. */
export function chosenColumns(): Column[] {
  const names = setting('columns')?.split(',')
  return columns.filter(({ id, standard }) => (names === undefined ? standard === true : names.includes(id)))
}

/** The address's word for `ids`; `undefined` for the standard ones. */
export function columnsSetting(ids: ReadonlySet<string>): string | undefined {
  const wanted = columns.filter(({ id }) => ids.has(id))
  const standard = columns.every((column) => (column.standard === true) === ids.has(column.id))
  // Nothing chosen is a choice too: only times are left.
  return standard ? undefined : wanted.map(({ id }) => id).join(',') || 'none'
}

/** All that the API has to send for `chosen`. */
export function fieldsOf(chosen: readonly Column[]): string {
  return [...new Set(['id', 'kind', 'parent_id', 'at', ...chosen.flatMap(({ fields }) => fields)])].join(',')
}

interface Standing {
  readonly standard?: boolean
}

function text(id: string, standing: Standing = {}): Column {
  return {
    id,
    title: id.replaceAll('_', ' '),
    fields: [id],
    ...standing,
    cell: (event) => textIn(event, id) ?? nothing,
  }
}

function tokens(id: string, standing: Standing = {}): Column {
  const cell = (event: EventRow): ComponentChildren => ofUsage(event, <Count of={numberIn(event, id)} />)
  return { id, title: id, fields: [id], number: true, ...standing, cell }
}

function dollars(id: string, title: string, standing: Standing = {}): Column {
  return {
    id,
    title,
    fields: [id],
    number: true,
    ...standing,
    cell: (event) => ofUsage(event, <Dollars of={numberIn(event, id)} />),
  }
}

function milliseconds(id: string, title: string, standing: Standing = {}): Column {
  const cell = (event: EventRow): ComponentChildren => {
    const ms = numberIn(event, id)
    return ms === undefined ? nothing : <span title={`${ms} ms`}>{millisecondText(ms)}</span>
  }
  return { id, title, fields: [id], number: true, ...standing, cell }
}

function flag(id: string): Column {
  const cell = (event: EventRow): ComponentChildren =>
    typeof event[id] === 'boolean' ? (event[id] ? 'yes' : 'no') : nothing
  return { id, title: id, fields: [id], cell }
}

function list(id: string): Column {
  const cell = (event: EventRow): ComponentChildren => {
    const value = event[id]
    return Array.isArray(value) && value.length > 0 ? (
      <span title={value.join('\n')}>{countText(value.length)}</span>
    ) : (
      nothing
    )
  }
  return { id, title: id, fields: [id], number: true, cell }
}

/** A failed attempt used nothing that could be reported. */
function ofUsage(event: EventRow, cell: ComponentChildren): ComponentChildren {
  return hasUsage(event) ? cell : nothing
}

function shareCell(event: EventRow): ComponentChildren {
  const [all, cached] = [numberIn(event, 'input_tokens'), numberIn(event, 'cached_input_tokens')]
  if (all === undefined || cached === undefined) return ofUsage(event, <NotReported />)
  return ofUsage(event, all === 0 ? nothing : <Share of={shareOf(cached, all)} />)
}

function placeOf(event: EventRow): ComponentChildren {
  const kind = textIn(event, 'kind')
  const upstream = textIn(event, 'upstream') ?? nothing
  if (kind === undefined || kind === 'request') return upstream
  return (
    <>
      {upstream} <span class="chip">{kind === 'attempt' ? 'failed attempt' : kind}</span>
    </>
  )
}

function verdictCell(event: EventRow): ComponentChildren {
  const verdict = textIn(event, 'verdict')
  if (verdict === undefined) return ofUsage(event, <NotReported />)
  return <span class={`chip verdict-${verdict}`}>{verdict}</span>
}

function statusCell(event: EventRow): ComponentChildren {
  const [status, code] = [numberIn(event, 'status'), textIn(event, 'error_code')]
  const failed = status === undefined || status >= 400 || code !== undefined
  return (
    <span class={failed ? 'negative' : undefined}>
      {status ?? '–'}
      {code !== undefined && ` ${code}`}
    </span>
  )
}
