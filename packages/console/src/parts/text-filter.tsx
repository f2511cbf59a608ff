import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { addressOf, ask } from '../api/ask.ts'
import type { Summary } from '../api/summary.ts'
import type { FilterName } from '../state/filters.ts'
import { change, setting } from '../state/place.ts'
import { moments } from '../state/time-range.ts'
import { causes } from './causes.ts'
import { Field } from './field.tsx'

const mostSuggested = 50

/** What need not be asked for. */
const known: Readonly<Partial<Record<FilterName, readonly string[]>>> = {
  cause: causes,
  status: ['200', '400', '401', '404', '429', '499', '500', '502', '503', '504', '529'],
}

/** A filter by exact name; what occurred in the range is suggested once the user comes to it. */
export function TextFilter({ name, label }: { name: FilterName; label: string }): JSX.Element {
  const suggested = useSignal<readonly string[]>([])
  const suggest = async (): Promise<void> => {
    suggested.value = known[name] ?? (await namesOf(name).catch(() => []))
  }
  return (
    <Field label={label}>
      {(id) => (
        <>
          <input
            id={id}
            type="text"
            name={name}
            value={setting(name) ?? ''}
            placeholder="any"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxLength={300}
            list={`${id}-names`}
            onFocus={() => void suggest()}
            onChange={({ currentTarget }) => change({ [name]: currentTarget.value.trim(), cursor: undefined })}
          />
          <datalist id={`${id}-names`}>
            {suggested.value.map((value) => (
              <option key={value} value={value} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  )
}

/** Suggestions are a convenience: without an answer there are none. */
async function namesOf(name: FilterName): Promise<string[]> {
  const query = { ...moments(), group_by: name, limit: mostSuggested }
  const { rows = [] } = await ask<Summary>(addressOf('v1/summary', query), AbortSignal.timeout(10_000))
  return rows.map(({ group }) => group?.[name]).filter((value) => typeof value === 'string')
}
