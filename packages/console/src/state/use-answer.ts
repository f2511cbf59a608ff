import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { accessKey } from '../api/access-key.ts'
import { ask, NoAnswer } from '../api/ask.ts'
import { refreshes, visible, watching } from './attention.ts'

/** What is wanted of the gateway. */
export interface Question {
  readonly address: string
  /** Pause before it is asked again while the user watches; `undefined` = ask once. */
  readonly everyMs?: number | undefined
}

/** The state of a question. */
export interface Answer<T> {
  /** The latest good answer to this question; an older question's while its first answer is awaited. */
  readonly value: T | undefined
  /** Why the latest try gave nothing. */
  readonly failure: NoAnswer | undefined
  readonly pending: boolean
  /** Pending for longer than a person expects. */
  readonly slow: boolean
  readonly retry: () => void
}

interface State {
  readonly address: string | undefined
  readonly value: unknown
  readonly failure: NoAnswer | undefined
  readonly pending: boolean
  readonly slow: boolean
}

const slowMs = 2_000
const blank: State = { address: undefined, value: undefined, failure: undefined, pending: true, slow: false }

/**
 * Asks the gateway, and again while somebody watches; a hidden tab asks nothing. Answers to old questions are
 * thrown away.
 */
export function useAnswer<T>(question: Question): Answer<T> {
  const state = useSignal<State>(blank)
  const tries = useSignal(0)
  const again = watching.value && question.everyMs !== undefined
  const urgent = `${question.address} ${accessKey.value ?? ''} ${tries.value} ${refreshes.value}`

  useEffect(() => {
    if (!visible.value) return undefined
    return keepAsking(question, again, {
      get: () => state.value,
      set: (next) => {
        state.value = { ...state.value, ...next }
      },
    })
  }, [urgent, again, visible.value])

  const { value, failure, pending, slow } = state.value
  const retry = (): void => {
    tries.value += 1
  }
  return { value: value as T | undefined, failure, pending, slow, retry } // as `ask` read it
}

function keepAsking(
  question: Question,
  again: boolean,
  state: { get: () => State; set: (next: Partial<State>) => void },
): () => void {
  const leaving = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined

  const turn = async (): Promise<void> => {
    state.set({ pending: true })
    const late = setTimeout(() => leaving.signal.aborted || state.set({ slow: true }), slowMs)
    const outcome = await tryOnce(question, leaving.signal)
    clearTimeout(late)
    if (outcome === undefined) return
    const kept = state.get().address === question.address ? state.get().value : undefined
    state.set({ value: kept, address: question.address, failure: undefined, pending: false, slow: false, ...outcome })
    if (!again || question.everyMs === undefined || leaving.signal.aborted) return
    // 401 and 403 stay what they are until there is another key.
    if (outcome.failure?.status === 401 || outcome.failure?.status === 403) return
    timer = setTimeout(() => void turn(), outcome.failure === undefined ? question.everyMs : question.everyMs * 3)
  }
  void turn()
  return () => {
    leaving.abort()
    clearTimeout(timer)
    state.set({ pending: false, slow: false })
  }
}

async function tryOnce(question: Question, signal: AbortSignal): Promise<Partial<State> | undefined> {
  try {
    return { value: await ask<unknown>(question.address, signal) }
  } catch (error) {
    if (signal.aborted) return undefined
    return { failure: error instanceof NoAnswer ? error : new NoAnswer(String(error)) }
  }
}
