import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { addressOf, NoAnswer, tell } from '../api/ask.ts'
import type { PinList, PrefixList } from '../api/engine.ts'
import { tierNames, tiers } from '../api/engine.ts'
import { byteText, countText } from '../format/amounts.ts'
import { Notice, Waiting } from '../parts/notice.tsx'
import { Pairs } from '../parts/pairs.tsx'
import { refreshes } from '../state/attention.ts'
import { useAnswer } from '../state/use-answer.ts'

/** What is to be dropped: what the filters of the page leave. */
interface Which {
  readonly org: string | undefined
  readonly model: string | undefined
}

interface Dropped {
  readonly dropped?: Readonly<Record<string, number>>
}

/** Asks before the cache is emptied, of what the filters leave, and says what was dropped. */
export function ResetDialog({ which, close }: { which: Which; close: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const result = useSignal<Dropped | undefined>(undefined)
  const failure = useSignal<string | undefined>(undefined)
  const busy = useSignal(false)
  useEffect(() => {
    const opener = document.activeElement
    dialog.current?.showModal()
    return () => {
      // The button goes with the picture, when nothing is left to be drawn.
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
      else document.getElementById('main')?.focus()
    }
  }, [])
  const reset = async (): Promise<void> => {
    busy.value = true
    failure.value = undefined
    try {
      const scope = which.org === undefined ? undefined : { org: which.org }
      result.value = await tell<Dropped>('POST', 'v1/cache/reset', { model: which.model, scope })
      refreshes.value += 1
    } catch (error) {
      failure.value = error instanceof NoAnswer ? error.message : String(error)
    }
    busy.value = false
  }
  const done = result.value !== undefined
  return (
    <dialog
      ref={dialog}
      class="confirm"
      aria-labelledby="reset-title"
      onCancel={(cancelled) => {
        cancelled.preventDefault()
        close()
      }}
    >
      <h2 id="reset-title">{done ? 'The cache was reset' : 'Reset the cache?'}</h2>
      <p>
        {done ? 'Dropped' : 'This drops'} every cached prefix of {subjectOf(which)}, in every tier.
        {!done && ' Nothing is lost but time: prompts are computed again, from their start.'}
      </p>
      {done ? <Report dropped={result.value?.dropped} /> : <Forecast which={which} />}
      {failure.value !== undefined && (
        <p class="negative" role="alert">
          {failure.value}
        </p>
      )}
      <p class="row end">
        <button type="button" onClick={close}>
          {done ? 'Close' : 'Cancel'}
        </button>
        {!done && (
          <button type="button" class="danger" disabled={busy.value} onClick={() => void reset()}>
            Drop all of it
          </button>
        )}
      </p>
    </dialog>
  )
}

function subjectOf({ org, model }: Which): string {
  const models = model === undefined ? 'all local models' : model
  return `${models} and ${org === undefined ? 'all organisations' : `the organisation ${org}`}`
}

/** What is there to be dropped now, as the same selection of the API has it. */
function Forecast({ which }: { which: Which }): JSX.Element {
  const found = useAnswer<PrefixList>({ address: addressOf('v1/prefixes', { source: 'engine', ...which, limit: 1 }) })
  const pins = useAnswer<PinList>({ address: addressOf('v1/pins', { ...which, limit: 1 }) })
  const totals = found.value?.tiers
  return (
    <>
      <Notice of={found} what="cached prefixes" />
      <Waiting of={found} />
      {totals !== undefined && (
        <Pairs
          of={[
            ...tiers.map((tier) => {
              const { tokens, nodes } = totals[tier]
              return [tierNames[tier], `${countText(tokens)} tokens in ${countText(nodes)} prefixes`] as const
            }),
            ['Pins', countText(pins.value?.total)],
          ]}
        />
      )}
      <p class="about">Whole states of recurrent models are in no tree and go as well.</p>
    </>
  )
}

function Report({ dropped }: { dropped: Dropped['dropped'] }): JSX.Element {
  return (
    <Pairs
      of={[
        ...tiers.map((tier) => [tierNames[tier], `${countText(dropped?.[`${tier}_tokens`])} tokens`] as const),
        ['In all', byteText(dropped?.['bytes'])],
      ]}
    />
  )
}
