import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { change } from '../state/place.ts'
import { chosenColumns, columns, columnsSetting } from './columns.tsx'

/** Which columns the table has. */
export function ColumnPicker(): JSX.Element {
  const chosen = new Set(chosenColumns().map(({ id }) => id))
  const toggle = (id: string, on: boolean): void => {
    const next = new Set(chosen)
    if (on) next.add(id)
    else next.delete(id)
    change({ columns: columnsSetting(next) }, 'in place')
  }
  const menu = useRef<HTMLDetailsElement>(null)
  useEffect(() => {
    const close = (event: Event): void => {
      const { current } = menu
      if (current === null || !current.open) return
      if (event instanceof KeyboardEvent) {
        if (event.key !== 'Escape') return
        current.querySelector('summary')?.focus()
      } else if (event.target instanceof Node && current.contains(event.target)) return
      current.open = false
    }
    document.addEventListener('pointerdown', close)
    document.addEventListener('keydown', close)
    return () => {
      document.removeEventListener('pointerdown', close)
      document.removeEventListener('keydown', close)
    }
  }, [])
  return (
    <details class="menu" ref={menu}>
      <summary>Columns</summary>
      <fieldset>
        <legend>Columns</legend>
        {columns.map(({ id, title }) => (
          <label key={id}>
            <input
              type="checkbox"
              checked={chosen.has(id)}
              onChange={({ currentTarget }) => toggle(id, currentTarget.checked)}
            />
            {title}
          </label>
        ))}
        <button type="button" onClick={() => change({ columns: undefined }, 'in place')}>
          Standard
        </button>
      </fieldset>
    </details>
  )
}
