import type { JSX } from 'preact'
import { Moment } from '../parts/values.tsx'
import { useAnswer } from '../state/use-answer.ts'

interface ConfigStatus {
  readonly error?: { readonly at: string; readonly message: string } | null
  readonly takes_effect_after_restart?: readonly string[]
}

/** Says when the configuration on disk is not the one in effect. Only admins may know; others see nothing. */
export function Banner(): JSX.Element | null {
  const { value } = useAnswer<ConfigStatus>({ address: 'v1/config/status', everyMs: 60_000 })
  const { error, takes_effect_after_restart: late = [] } = value ?? {}
  return (
    <>
      {error && (
        <div class="notice bad" role="alert">
          <p>
            <strong>The configuration was not taken</strong> (<Moment of={error.at} />
            ); the one before is in effect. {error.message}
          </p>
        </div>
      )}
      {late.length > 0 && (
        <div class="notice" role="status">
          <p>Changed in the configuration, in effect after a restart: {late.join(', ')}</p>
        </div>
      )}
    </>
  )
}
