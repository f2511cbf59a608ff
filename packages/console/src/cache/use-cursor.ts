import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Cell, Focus } from './lay-out.ts'
import { nextCell } from './next-cell.ts'
import { everything, pathTo } from './picture-node.ts'

/** One cell can be reached with Tab, the others from there. It stays where it is when the picture changes. */
export function useCursor(
  place: { readonly current: HTMLDivElement | null },
  cells: readonly Cell[],
  { focus, choose }: { readonly focus: Focus; readonly choose: (id: string) => void },
): [string, (event: KeyboardEvent) => void] {
  const at = useSignal<string | undefined>(undefined)
  const held = useRef(false)
  const known = cells.some(({ id }) => id === at.value)
  const current = known && at.value !== undefined ? at.value : focus.node.id
  const focused = (): SVGGElement | null => place.current?.querySelector(`[data-id="${CSS.escape(current)}"]`) ?? null
  useEffect(() => {
    const element = place.current
    const note = (event: FocusEvent): void => {
      held.current = event.type === 'focusin'
      const id = event.target instanceof SVGElement ? event.target.dataset['id'] : undefined
      if (held.current && id !== undefined) at.value = id
    }
    element?.addEventListener('focusin', note)
    element?.addEventListener('focusout', note)
    return () => {
      element?.removeEventListener('focusin', note)
      element?.removeEventListener('focusout', note)
    }
  }, [])
  useLayoutEffect(() => {
    // What was moved in the page, or is not there any more, has lost the focus.
    if (held.current && document.activeElement === document.body) focused()?.focus()
  })
  const move = (from: string, key: string): boolean => {
    const next = nextCell(cells, from, key)
    if (next === undefined) return false
    at.value = next.id
    place.current?.querySelector<SVGGElement>(`[data-id="${CSS.escape(next.id)}"]`)?.focus()
    return true
  }
  const onKey = (event: KeyboardEvent): void => {
    const from = event.currentTarget instanceof SVGElement ? event.currentTarget.dataset['id'] : undefined
    if (event.ctrlKey || event.metaKey || event.altKey || from === undefined) return
    if (['Enter', ' '].includes(event.key)) choose(from)
    else if (['Escape', 'Backspace'].includes(event.key)) choose(above(focus))
    else if (!move(from, event.key)) return
    event.preventDefault()
  }
  return [current, onKey]
}

/** Out of some of the children is their parent. */
function above({ node, from }: Focus): string {
  return from > 0 ? node.id : (pathTo(node).at(-2)?.id ?? everything)
}
