import type { ReadonlySignal } from '@preact/signals'
import { signal } from '@preact/signals'

export type Theme = 'light' | 'dark'

const name = 'incipit-theme'
const preferred = matchMedia('(prefers-color-scheme: dark)')
const current = signal(themeNow())

/** What is shown: the user's choice, else the system's. */
export const theme: ReadonlySignal<Theme> = current

preferred.addEventListener('change', apply)
apply()

export function switchTheme(): void {
  localStorage.setItem(name, current.value === 'dark' ? 'light' : 'dark')
  apply()
}

function apply(): void {
  const now = themeNow()
  document.documentElement.dataset['theme'] = now
  current.value = now
}

function themeNow(): Theme {
  const chosen = localStorage.getItem(name)
  return chosen === 'light' || chosen === 'dark' ? chosen : preferred.matches ? 'dark' : 'light'
}
