import type { Prompt } from '@incipit/core'
import { IsolationScope } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { RequestHead } from '../receive/receive-head.ts'
import { checkIdentity } from '../receive/receive-head.ts'

/** What narrows a scope beyond the caller's organisation. */
export interface Narrowing {
  readonly head: RequestHead
  readonly prompt: Prompt
  /** Account id of a Workers AI path: a claim, so it can only narrow. */
  readonly account: string | undefined
  /** Snapshot of the model the session began under; 0 = none was published. */
  readonly snapshot: number
}

/**
 * The isolation scope of a request: its organisation, then the isolation key, then account and
 * snapshot. A key in the header and a different one in the body both count (F-3).
 *
 * @throws IncipitError `invalid_request` on a body key that is too long or not well-formed
 * @example const scope = isolate(caller, { head, prompt, account: undefined, snapshot: 0 }, house)
 */
export function isolate(caller: Caller, narrowing: Narrowing, house: Pick<House, 'hasher' | 'secret'>): IsolationScope {
  const { head, prompt, account, snapshot } = narrowing
  if (prompt.isolationKey !== undefined) {
    const param = '/prompt_cache_isolation_key'
    checkIdentity(prompt.isolationKey, { code: 'invalid_request', what: 'prompt_cache_isolation_key', param })
  }
  const narrower: string[] = []
  if (
    head.isolationKey !== undefined &&
    prompt.isolationKey !== undefined &&
    prompt.isolationKey !== head.isolationKey
  ) {
    narrower.push(`body-key:${prompt.isolationKey}`)
  }
  if (account !== undefined) narrower.push(`account:${account}`)
  if (snapshot > 0) narrower.push(`snapshot:${snapshot}`)
  return IsolationScope.of(
    { org: caller.org, isolationKey: head.isolationKey ?? prompt.isolationKey, narrower },
    { hasher: house.hasher, secret: house.secret },
  )
}
