import type { ReadonlySignal } from '@preact/signals'
import { signal } from '@preact/signals'

const name = 'incipit-key'
const held = signal<string | undefined>(sessionStorage.getItem(name) ?? undefined)
const refused = signal(false)

/** The key that the user typed, for this tab only. */
export const accessKey: ReadonlySignal<string | undefined> = held

/** The gateway asked for a key, or did not take the one it was given. */
export const keyRefused: ReadonlySignal<boolean> = refused

/** Keeps a key until the tab is closed. */
export function keepKey(key: string): void {
  sessionStorage.setItem(name, key)
  held.value = key
  refused.value = false
}

export function forgetKey(): void {
  sessionStorage.removeItem(name)
  held.value = undefined
  refused.value = false
}

/** Notes that the gateway answered 401 to `key`; an answer to a key that was replaced meanwhile is old news. */
export function noteRefusal(key: string | undefined): void {
  if (key === held.value) refused.value = true
}
