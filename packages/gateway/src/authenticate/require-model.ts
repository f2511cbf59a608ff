import type { Prompt } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import { mayUseModel } from '../keys/scopes.ts'
import type { Caller } from './authenticate.ts'
import { fallbackModels } from './fallback-models.ts'

/** @throws IncipitError `out_of_scope` unless the scopes of the caller's key cover the model of a prompt, and those it falls back to */
export function requireModels(caller: Caller, { model, body }: Pick<Prompt, 'model' | 'body'>): void {
  requireModel(caller, model)
  if (caller.grant?.scopes.models === undefined) return
  for (const name of fallbackModels(body)) requireModel(caller, name, '/models')
}

/** @throws IncipitError `out_of_scope` unless the scopes of the caller's key cover the model */
export function requireModel({ grant, keyName }: Caller, model: string, param = '/model'): void {
  if (grant === undefined || mayUseModel(grant.scopes, model)) return
  const allowed = grant.scopes.models?.join(', ')
  const message = `the key "${keyName}" may not use the model "${model.slice(0, 120)}"; it may use: ${allowed}`
  throw new IncipitError('out_of_scope', message, { param })
}
