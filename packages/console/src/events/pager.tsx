import type { Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { change, setting } from '../state/place.ts'

/** Steps through pages. A page from someone else's address knows the newest and the older ones, not the newer. */
export function Pager(props: { next: string | null; shown: number; earlier: Signal<readonly string[]> }): JSX.Element {
  const { next, shown, earlier } = props
  const cursor = setting('cursor')
  const older = (): void => {
    earlier.value = [...earlier.value, cursor ?? '']
    change({ cursor: next ?? undefined })
  }
  const newer = (): void => {
    const before = earlier.value.at(-1)
    earlier.value = earlier.value.slice(0, -1)
    change({ cursor: before })
  }
  const newest = (): void => {
    earlier.value = []
    change({ cursor: undefined })
  }
  return (
    <nav class="row pager" aria-label="Pages">
      <button type="button" onClick={newest} disabled={cursor === undefined}>
        Newest
      </button>
      <button type="button" onClick={newer} disabled={cursor === undefined || earlier.value.length === 0}>
        Newer
      </button>
      <button type="button" onClick={older} disabled={next === null}>
        Older
      </button>
      <span class="quiet" role="status">
        {shown} {shown === 1 ? 'row' : 'rows'}
        {cursor === undefined ? '' : ', an older page'}
        {next === null ? ', the last page' : ''}
      </span>
    </nav>
  )
}
