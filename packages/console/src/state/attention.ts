import type { ReadonlySignal } from '@preact/signals'
import { computed, signal } from '@preact/signals'

const shown = signal(document.visibilityState === 'visible')
document.addEventListener('visibilitychange', () => {
  shown.value = document.visibilityState === 'visible'
})

/** The user wants fresh numbers; off, everything stands still until asked. */
export const live = signal(true)

/** The tab can be seen: a hidden one asks for nothing. */
export const visible: ReadonlySignal<boolean> = shown

/** Numbers are to be kept fresh. */
export const watching: ReadonlySignal<boolean> = computed(() => live.value && shown.value)

/** Counts how often the user asked for fresh numbers now. */
export const refreshes = signal(0)
