import type { JSX } from 'preact'
import { Field } from '../parts/field.tsx'
import { change } from '../state/place.ts'

/** Opens a request by the id that its answer carried, whatever the filters. */
export function FindById(): JSX.Element {
  const open = (input: HTMLInputElement): void => {
    const id = input.value.trim()
    input.value = ''
    if (id !== '') change({ event: id })
  }
  return (
    <Field label="Request id">
      {(id) => (
        <input
          id={id}
          type="text"
          name="request-id"
          placeholder="req_…"
          autocomplete="off"
          spellcheck={false}
          maxLength={60}
          onChange={({ currentTarget }) => open(currentTarget)}
        />
      )}
    </Field>
  )
}
