import type { JSX } from 'preact'
import { FirstRequest } from '../parts/first-request.tsx'
import { change } from '../state/place.ts'

/** Nothing is cached: why that may be, and how to change it. */
export function CacheEmpty({ narrowed }: { narrowed: boolean }): JSX.Element {
  return (
    <section class="panel empty" aria-labelledby="cache-empty-title">
      <h2 id="cache-empty-title">Nothing is cached{narrowed && ' of this model and organisation'}</h2>
      {narrowed ? (
        <p class="row">
          <button type="button" onClick={() => change({ local: undefined, org: undefined })}>
            Show all
          </button>
        </p>
      ) : (
        <FirstRequest>
          <p>Send a prompt to a local model, and the same again: the second one reads what the first has left here.</p>
        </FirstRequest>
      )}
    </section>
  )
}

/** The gateway serves no models of its own. */
export function NoEngine({ reason }: { reason: string }): JSX.Element {
  return (
    <section class="panel empty" aria-labelledby="no-engine-title">
      <h2 id="no-engine-title">There is no local engine</h2>
      <p class="sentence">{reason}</p>
      <p class="about">
        It serves GGUF models on this machine and keeps what it has computed. Install <code>@incipit/engine</code> where
        it is missing, and have <code>engine: {'{ enabled: true }'}</code> in the configuration; without any file it is
        on. What caches of providers do is on the other pages.
      </p>
    </section>
  )
}
