import { useSignal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { accessKey } from '../api/access-key.ts'
import { useAnswer } from '../state/use-answer.ts'

/** A command line that sends a request, to copy. */
export function FirstRequest({ children }: { children: ComponentChildren }): JSX.Element {
  const copied = useSignal(false)
  const models = useAnswer<{ data?: readonly { id: string }[] }>({ address: 'v1/models' })
  const line = curlLine(models.value?.data?.[0]?.id ?? 'MODEL')
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(line)
    copied.value = true
  }
  return (
    <>
      {children}
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
