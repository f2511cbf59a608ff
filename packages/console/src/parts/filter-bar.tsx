import type { ComponentChildren, JSX } from 'preact'
import type { FilterName } from '../state/filters.ts'
import { filters, noFilters } from '../state/filters.ts'
import { change, place, setting } from '../state/place.ts'
import { rangeName, ranges, timeZone } from '../state/time-range.ts'
import { localZone } from '../format/times.ts'
import { Field } from './field.tsx'
import { TextFilter } from './text-filter.tsx'
import { Select } from './values.tsx'

const verdicts = ['warm', 'partial', 'cold']
const kinds = ['request', 'attempt', 'ping', 'prewarm', 'storage']

const texts: readonly { name: FilterName; label: string }[] = [
  { name: 'model', label: 'Model' },
  { name: 'upstream', label: 'Upstream' },
  { name: 'provider', label: 'Provider' },
  { name: 'cause', label: 'Cause' },
  { name: 'session', label: 'Session' },
  { name: 'key', label: 'Key name' },
  { name: 'org', label: 'Organisation' },
  { name: 'status', label: 'Status' },
]

/** Which requests the page is about: when, and which of them. All of it is in the address. */
export function FilterBar({ children }: { children?: ComponentChildren }): JSX.Element {
  const count = Object.keys(filters()).length
  return (
    <form class="filters" aria-label="Filters" onSubmit={(submitted) => submitted.preventDefault()}>
      <div class="row">
        <RangeSelect />
        {rangeName() === 'custom' && <CustomRange />}
        {localZone !== 'UTC' && (
          <Select
            label="Time zone"
            value={timeZone()}
            options={[
              [localZone, localZone],
              ['UTC', 'UTC'],
            ]}
            choose={(zone) => change({ tz: zone === 'UTC' ? 'UTC' : undefined })}
          />
        )}
        {children}
      </div>
      <details open={count > 0 || undefined} class="more-filters">
        <summary>Filters{count > 0 && ` (${count})`}</summary>
        <div class="row">
          {texts.map(({ name, label }) => (
            <TextFilter key={name} name={name} label={label} />
          ))}
          <Select
            label="Verdict"
            value={setting('verdict') ?? ''}
            options={[['', 'any'], ...verdicts.map((name) => [name, name] as const)]}
            choose={(verdict) => change({ verdict, cursor: undefined })}
          />
          {place.value.view === 'events' && (
            <Select
              label="Kind"
              value={setting('kind') ?? ''}
              options={[['', 'any'], ...kinds.map((name) => [name, name] as const)]}
              choose={(kind) => change({ kind, cursor: undefined })}
            />
          )}
          {count > 0 && (
            <button type="button" onClick={() => change({ ...noFilters, cursor: undefined })}>
              Clear
            </button>
          )}
        </div>
      </details>
    </form>
  )
}

function RangeSelect(): JSX.Element {
  const named = Object.entries(ranges).map(([name, { title }]) => [name, title] as const)
  const choose = (name: string): void =>
    name === 'custom'
      ? change({ range: undefined, since: new Date(Date.now() - ranges['24h'].ms).toISOString(), cursor: undefined })
      : change({ range: name === '24h' ? undefined : name, since: undefined, until: undefined, cursor: undefined })
  return <Select label="Time" value={rangeName()} options={[...named, ['custom', 'From … to …']]} choose={choose} />
}

function CustomRange(): JSX.Element {
  return (
    <>
      <MomentField label="From" name="since" />
      <MomentField label="To" name="until" />
    </>
  )
}

function MomentField({ label, name }: { label: string; name: 'since' | 'until' }): JSX.Element {
  const set = (text: string): void => {
    const ms = Date.parse(timeZone() === 'UTC' ? `${text}Z` : text)
    change({ [name]: Number.isNaN(ms) ? undefined : new Date(ms).toISOString(), cursor: undefined })
  }
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="datetime-local"
          value={inputText(setting(name))}
          onChange={({ currentTarget }) => set(currentTarget.value)}
        />
      )}
    </Field>
  )
}

/** A moment as such an input holds it: without a zone, in the one that is shown. */
function inputText(at: string | undefined): string {
  const ms = Date.parse(at ?? '')
  if (Number.isNaN(ms)) return ''
  const shift = timeZone() === 'UTC' ? 0 : new Date(ms).getTimezoneOffset() * 60_000
  return new Date(ms - shift).toISOString().slice(0, 16)
}
