import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { NoAnswer, tell } from '../api/ask.ts'
import type { Pin, PinList } from '../api/engine.ts'
import { Notice, Panel } from '../parts/notice.tsx'
import { refreshes } from '../state/attention.ts'
import type { Answer } from '../state/use-answer.ts'
import { PinTable } from './pin-table.tsx'

/** Prefixes that clients asked to keep, with the life they have left; nothing where there are none. */
export function PinPanel({ answer }: { answer: Answer<PinList> }): JSX.Element | null {
  const failure = useSignal<string | undefined>(undefined)
  const { data: pins = [], total = 0 } = answer.value ?? {}
  if (pins.length === 0 && answer.failure === undefined) return null
  const remove = async ({ id }: Pin): Promise<void> => {
    failure.value = undefined
    try {
      await tell('DELETE', `v1/pins/${encodeURIComponent(id)}`)
    } catch (error) {
      failure.value = error instanceof NoAnswer ? error.message : String(error)
    }
    refreshes.value += 1
  }
  return (
    <Panel title="Pinned prefixes" id="pins" busy={answer.pending}>
      <p class="about">Kept on request, and evicted behind everything else; at most half of a tier.</p>
      <Notice of={answer} what="pins" />
      {failure.value !== undefined && (
        <div class="notice bad" role="alert">
          <p>{failure.value}</p>
        </div>
      )}
      {pins.length > 0 && <PinTable pins={pins} remove={(pin) => void remove(pin)} />}
      {total > pins.length && (
        <p class="about">
          The {pins.length} that expire first are shown, of {total}.
        </p>
      )}
    </Panel>
  )
}
