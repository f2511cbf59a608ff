import type { ReadonlySignal } from '@preact/signals'
import { signal } from '@preact/signals'
import type { Place, View } from './address.ts'
import { hashOf, readPlace } from './address.ts'

/** Settings to change; `undefined` takes one away. */
export type Changes = Readonly<Record<string, string | undefined>>

const current = signal(readPlace(location.hash))
window.addEventListener('hashchange', () => {
  current.value = readPlace(location.hash)
})

/** Where the user is now; changes with the address. */
export const place: ReadonlySignal<Place> = current

/** The value of one setting. */
export function setting(name: string): string | undefined {
  return current.value.settings[name]
}

/** Changes settings of this page as a new step of the browser's history, or in place of the current one. */
export function change(changes: Changes, how: 'step' | 'in place' = 'step'): void {
  const { view, settings } = current.value
  go({ view, settings: merge(settings, changes) }, how)
}

/** The address of a page with `changes` to the settings of now. */
export function hrefOf(view: View, changes: Changes = {}): string {
  return hashOf({ view, settings: merge(current.value.settings, changes) })
}

function go(next: Place, how: 'step' | 'in place'): void {
  const hash = hashOf(next)
  if (hash === hashOf(current.value)) return
  if (how === 'step') history.pushState(null, '', hash)
  else history.replaceState(null, '', hash)
  current.value = next
}

function merge(settings: Place['settings'], changes: Changes): Place['settings'] {
  const merged = Object.entries({ ...settings, ...changes })
  return Object.fromEntries(
    merged.filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ''),
  )
}
