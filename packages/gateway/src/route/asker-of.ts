import type { SessionId } from '@incipit/core'
import type { Caller } from '../authenticate/authenticate.ts'
import type { RouteAsker } from './route.ts'

/** @example route(prompt.model, askerOf(caller, session), house.routes) */
export function askerOf({ ownCredential, grant }: Caller, session: SessionId): RouteAsker {
  return { session, ownCredential, upstreams: grant?.scopes.upstreams }
}
