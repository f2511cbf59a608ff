import type { JSX } from 'preact'
import { addressOf } from '../api/ask.ts'
import type { EventPage, EventRow } from '../api/event.ts'
import { numberIn, textIn } from '../api/event.ts'
import { millisecondText } from '../format/amounts.ts'
import { Notice } from '../parts/notice.tsx'
import { hrefOf } from '../state/place.ts'
import { useAnswer } from '../state/use-answer.ts'

const fields = 'id,kind,parent_id,upstream,replica,status,error_code,total_ms'

/** The tries of a request that led to no answer. They carry its time and session, which is how they are found. */
export function Attempts({ of: event }: { of: EventRow }): JSX.Element | null {
  const id = textIn(event, 'id') ?? ''
  const at = Date.parse(textIn(event, 'at') ?? '')
  const answer = useAnswer<EventPage>({
    address: addressOf('v1/events', {
      since: new Date(at).toISOString(),
      until: new Date(at + 1 + Math.ceil(numberIn(event, 'total_ms') ?? 0)).toISOString(),
      session: textIn(event, 'session'),
      kind: 'attempt',
      limit: 1_000,
      fields,
    }),
  })
  const attempts = (answer.value?.data ?? []).filter((row) => row['parent_id'] === id)
  const ordered = [...attempts].sort((a, b) => ((textIn(a, 'id') ?? '') < (textIn(b, 'id') ?? '') ? -1 : 1))
  return (
    <>
      <h3>Attempts that failed</h3>
      <Notice of={answer} what="attempts" />
      {answer.value !== undefined && ordered.length === 0 && <p>none</p>}
      {ordered.length > 0 && (
        <ol class="attempts">
          {ordered.map((attempt) => (
            <li key={textIn(attempt, 'id')}>
              <a href={hrefOf('events', { event: textIn(attempt, 'id') })}>
                {textIn(attempt, 'upstream') ?? 'nowhere'}
              </a>{' '}
              {textIn(attempt, 'replica')} <span class="negative">{numberIn(attempt, 'status')}</span>{' '}
              {textIn(attempt, 'error_code')} after {millisecondText(numberIn(attempt, 'total_ms'))}
            </li>
          ))}
        </ol>
      )}
    </>
  )
}
