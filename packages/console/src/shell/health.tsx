import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { refreshes, visible, watching } from '../state/attention.ts'

const everyMs = 15_000

const words: Readonly<Record<string, string>> = {
  ready: 'ready',
  no_model: 'no model to serve',
  engine_restarting: 'engine is restarting',
  shutting_down: 'shutting down',
}

/** Whether the gateway can serve; asked without a key, of `/health/readiness`. */
export function Health(): JSX.Element {
  const state = useSignal<{ text: string; good: boolean } | undefined>(undefined)
  useEffect(() => {
    if (!visible.value) return undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const leaving = new AbortController()
    const turn = async (): Promise<void> => {
      const seen = await look(leaving.signal)
      if (leaving.signal.aborted) return
      state.value = seen
      if (watching.value) timer = setTimeout(() => void turn(), everyMs)
    }
    void turn()
    return () => {
      leaving.abort()
      clearTimeout(timer)
    }
  }, [watching.value, visible.value, refreshes.value])
  const { text = 'asking …', good = true } = state.value ?? {}
  return (
    <p class={good ? 'health' : 'health bad'} role="status">
      {text}
    </p>
  )
}

async function look(signal: AbortSignal): Promise<{ text: string; good: boolean }> {
  try {
    const answer = await fetch('health/readiness', { signal, cache: 'no-store' })
    const { status = '' } = (await answer.json()) as { status?: string } // the API's documented shape
    return { text: words[status] ?? status, good: answer.ok }
  } catch {
    return { text: 'not reachable', good: false }
  }
}
