import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { accessKey, keepKey } from '../api/access-key.ts'
import { Field } from '../parts/field.tsx'

/** Asks for a key. It stays in this tab and goes to this gateway only. */
export function KeyForm(): JSX.Element {
  const typed = useSignal('')
  const given = accessKey.value !== undefined
  return (
    <form
      class="panel key-form"
      aria-labelledby="key-title"
      onSubmit={(submitted) => {
        submitted.preventDefault()
        if (typed.value !== '') keepKey(typed.value)
      }}
    >
      <h2 id="key-title">This gateway asks for a key</h2>
      {given && (
        <p class="negative" role="alert">
          The key that was given is not valid here.
        </p>
      )}
      <div class="row">
        <Field label="Key">
          {(id) => (
            <input
              id={id}
              type="password"
              name="key"
              autocomplete="off"
              required
              value={typed.value}
              onInput={({ currentTarget }) => {
                typed.value = currentTarget.value
              }}
            />
          )}
        </Field>
        <button>Show</button>
      </div>
      <p class="about">It is kept until this tab is closed, and sent to this gateway only.</p>
    </form>
  )
}
