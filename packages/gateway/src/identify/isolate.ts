import type { IsolationFields, Prompt } from '@incipit/core'
import { IsolationScope } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import type { House } from '../house.ts'
import type { RequestHead } from '../receive/receive-head.ts'
import { checkIdentity } from '../receive/receive-head.ts'
import { KeyedMemo } from './keyed-memo.ts'

/** What narrows a scope beyond the caller's organisation. */
export interface Narrowing {
  readonly head: RequestHead
  readonly prompt: Prompt
  /** Account id of a Workers AI path: a claim, so it can only narrow. */
  readonly account: string | undefined
}

/**
 * The isolation scope of a request: its organisation, then the isolation key, then the account. A key in the
 * header and a different one in the body both count (F-3).
 *
 * @throws IncipitError `invalid_request` on a body key that is too long or not well-formed
 * @example const scope = isolate(caller, { head, prompt, account: undefined }, house)
 */
export function isolate(caller: Caller, narrowing: Narrowing, house: Pick<House, 'hasher' | 'secret'>): IsolationScope {
  const { head, prompt, account } = narrowing
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
  return scopeOf({ org: caller.org, isolationKey: head.isolationKey ?? prompt.isolationKey, narrower }, house)
}

const scopes = new KeyedMemo<IsolationScope>()

function scopeOf(fields: IsolationFields, { hasher, secret }: Pick<House, 'hasher' | 'secret'>): IsolationScope {
  const name = JSON.stringify([fields.org, fields.isolationKey ?? null, fields.narrower])
  return scopes.of(secret, name, () => IsolationScope.of(fields, { hasher, secret }))
}

/**
 * The scope of a session that began under a published snapshot of a model; 0 = none was published.
 * @example narrowToSnapshot(scope, house.snapshots.snapshotOf(model, session), house)
 */
export function narrowToSnapshot(
  scope: IsolationScope,
  snapshot: number,
  house: Pick<House, 'hasher' | 'secret'>,
): IsolationScope {
  return snapshot === 0 ? scope : scope.narrowed(`snapshot:${snapshot}`, house)
}
