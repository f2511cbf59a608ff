import type { JSX } from 'preact'
import { useId } from 'preact/hooks'

/** A control with its name above or beside it. */
export function Field({ label, children }: { label: string; children: (id: string) => JSX.Element }): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  )
}
