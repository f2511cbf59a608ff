import { useEffect } from 'preact/hooks'

/** `/` goes to the filters, `j` and `k` to the next and the previous row, Esc out of a field. */
export function useKeys(): void {
  useEffect(() => {
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return
  const target = event.target instanceof HTMLElement ? event.target : undefined
  if (target !== undefined && isField(target)) {
    if (event.key === 'Escape') target.blur()
    return
  }
  actions[event.key]?.(event)
}

const actions: Readonly<Record<string, (event: KeyboardEvent) => void>> = {
  '/': openFilters,
  j: (event) => moveBy(1, event),
  k: (event) => moveBy(-1, event),
  Escape: ({ target }) => (target instanceof HTMLElement ? target.blur() : undefined),
}

function isField(target: HTMLElement): boolean {
  return target.matches('input, select, textarea') || target.isContentEditable
}

function openFilters(event: KeyboardEvent): void {
  const details = document.querySelector<HTMLDetailsElement>('details.more-filters')
  if (details === null) return
  event.preventDefault()
  details.open = true
  details.querySelector('input')?.focus()
}

function moveBy(step: number, event: KeyboardEvent): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('a.row-link')]
  if (links.length === 0) return
  event.preventDefault()
  const at = links.findIndex((link) => link === document.activeElement)
  const next = at === -1 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step))
  links[next]?.focus()
  links[next]?.scrollIntoView({ block: 'nearest' })
}
