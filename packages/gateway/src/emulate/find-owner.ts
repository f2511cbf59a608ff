import { digest } from './digest.ts'
import type { EmulatorOptions, KeyOwner } from './provider.ts'

/**
 * Whose key this is; `undefined` when it is not accepted.
 * @example findOwner('sk-test', {}) // an organisation of its own
 */
export function findOwner(key: string, { keys }: EmulatorOptions): Required<KeyOwner> | undefined {
  if (keys === undefined) return { org: `org-${digest('org', key).slice(0, 16)}`, workspace: 'default' }
  const owner = Object.hasOwn(keys, key) ? keys[key] : undefined
  return owner === undefined ? undefined : { org: owner.org, workspace: owner.workspace ?? 'default' }
}
