import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { accessKey } from '../api/access-key.ts'
import { filters, noFilters } from '../state/filters.ts'
import { change } from '../state/place.ts'
import { rangeName, rangeWords } from '../state/time-range.ts'
import { useAnswer } from '../state/use-answer.ts'

/** There is nothing to show: why that may be, and how to send a first request. */
export function EmptyState(): JSX.Element {
  const narrowed = Object.keys(filters()).length > 0
  return (
    <section class="panel empty" aria-labelledby="empty-title">
      <h2 id="empty-title">
        No requests {rangeWords()}
        {narrowed && ' with these filters'}
      </h2>
      <p class="row">
        {rangeName() !== 'all' && (
          <button type="button" onClick={() => change({ range: 'all', since: undefined, until: undefined })}>
            Show all time
          </button>
        )}
        {narrowed && (
          <button type="button" onClick={() => change(noFilters)}>
            Clear filters
          </button>
        )}
      </p>
      {!narrowed && <FirstRequest />}
    </section>
  )
}

function FirstRequest(): JSX.Element {
  const copied = useSignal(false)
  const models = useAnswer<{ data?: readonly { id: string }[] }>({ address: 'v1/models' })
  const line = curlLine(models.value?.data?.[0]?.id ?? 'MODEL')
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(line)
    copied.value = true
  }
  return (
    <>
      <p>Send the first one:</p>
      <pre class="command" tabIndex={0}>
        {line}
      </pre>
      {'clipboard' in navigator && (
        <button type="button" onClick={() => void copy()}>
          {copied.value ? 'Copied' : 'Copy'}
        </button>
      )}
      <p class="about">It shows up here within seconds.</p>
    </>
  )
}

function curlLine(model: string): string {
  const address = new URL('v1/chat/completions', document.baseURI).href
  const key = accessKey.value === undefined ? '' : ` \\\n  -H "authorization: Bearer $INCIPIT_KEY"`
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }).replaceAll(
    "'",
    String.raw`'\''`,
  )
  return `curl ${address} \\\n  -H 'content-type: application/json'${key} \\\n  -d '${body}'`
}
