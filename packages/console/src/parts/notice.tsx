import type { ComponentChildren, JSX } from 'preact'
import type { Answer } from '../state/use-answer.ts'

/** Says what went wrong or takes long, with a way to try again; nothing while all is well. */
export function Notice({ of: answer, what }: { of: Answer<unknown>; what: string }): JSX.Element | null {
  const { failure, pending, slow, retry, value } = answer
  if (failure !== undefined && failure.status !== 401) {
    return (
      <div class="notice bad" role="alert">
        <p>
          <strong>The {what} cannot be shown:</strong> {failure.message}
          {value !== undefined && ' What is shown is older.'}
        </p>
        <button type="button" onClick={retry} disabled={pending}>
          Try again
        </button>
      </div>
    )
  }
  if (slow) {
    return (
      <div class="notice" role="status">
        <p>Still waiting for the {what} …</p>
      </div>
    )
  }
  return null
}

/** What can be said while there is nothing to show. */
export function Waiting({ of: { pending, value } }: { of: Answer<unknown> }): JSX.Element | null {
  return pending && value === undefined ? <p class="quiet waiting">Loading …</p> : null
}

/** A heading with what belongs to it. */
export function Panel(props: {
  title: string
  id: string
  tools?: ComponentChildren
  busy?: boolean
  children: ComponentChildren
}): JSX.Element {
  return (
    <section class="panel" aria-labelledby={`${props.id}-title`} aria-busy={props.busy === true} id={props.id}>
      <header class="panel-head">
        <h2 id={`${props.id}-title`}>{props.title}</h2>
        {props.tools}
      </header>
      {props.children}
    </section>
  )
}
