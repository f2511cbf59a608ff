import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { accessKey } from '../api/access-key.ts'
import { addressOf, fetchWithKey } from '../api/ask.ts'
import { saveFile } from '../parts/save-file.ts'
import { filters } from '../state/filters.ts'
import { moments } from '../state/time-range.ts'

/** More than a download may be asked for at once. */
const mostRows = 1_000_000

/** Everything the filters leave, as a file, not only the page that is shown. */
export function Downloads({ fields }: { fields: string }): JSX.Element {
  return (
    <p class="row downloads">
      <span class="quiet">All of these events:</span>
      <Download format="csv" title="CSV" fields={fields} />
      <Download format="jsonl" title="JSON lines" fields={fields} />
    </p>
  )
}

function Download({ format, title, fields }: { format: string; title: string; fields: string }): JSX.Element {
  const state = useSignal<{ working: boolean; failure?: string }>({ working: false })
  const address = addressOf('v1/events', { ...moments(), ...filters(), fields, format, limit: mostRows })
  // A link cannot carry a key: then the page fetches what the browser would.
  const withKey = async (event: MouseEvent): Promise<void> => {
    if (accessKey.value === undefined) return
    event.preventDefault()
    state.value = { working: true }
    try {
      const answer = await fetchWithKey(address, new AbortController().signal)
      saveFile(`incipit-events.${format}`, await answer.blob())
      state.value = { working: false }
    } catch (error) {
      state.value = { working: false, failure: error instanceof Error ? error.message : String(error) }
    }
  }
  return (
    <>
      <a href={address} download={`incipit-events.${format}`} onClick={(event) => void withKey(event)}>
        {title}
      </a>
      {state.value.working && <span class="quiet">saving …</span>}
      {state.value.failure !== undefined && (
        <span class="negative" role="alert">
          {state.value.failure}
        </span>
      )}
    </>
  )
}
