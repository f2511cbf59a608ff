import type { Caller } from '../authenticate/authenticate.ts'
import type { Limits } from './limits.ts'
import type { Spender } from './spend-book.ts'

/** Somebody who has limits: a key, or an organisation with all of its keys. */
export interface Subject {
  /** Names its counters. */
  readonly id: string
  /** For messages: `key "web"`. */
  readonly label: string
  readonly limits: Limits
  readonly spender: Spender
}

/**
 * Whose limits a caller is under, its key first.
 * @example subjectsOf(caller, house.orgLimits).map(({ label }) => label) // ['key "web"', 'organisation "acme"']
 */
export function subjectsOf(caller: Caller, orgLimits: ReadonlyMap<string, Limits>): readonly Subject[] {
  const { grant, keyName, org } = caller
  const subjects: Subject[] = []
  if (grant !== undefined && keyName !== undefined && isLimited(grant.limits)) {
    const spender = { kind: 'key', name: keyName, since: grant.since } as const
    subjects.push({ id: grant.id, label: `key "${keyName}"`, limits: grant.limits, spender })
  }
  const limits = orgLimits.get(org)
  if (limits !== undefined) {
    subjects.push({ id: `org:${org}`, label: `organisation "${org}"`, limits, spender: { kind: 'org', name: org } })
  }
  return subjects
}

/** Anything but what `tpm` counts is a limit. */
function isLimited(limits: Limits): boolean {
  for (const name in limits) {
    if (name !== 'tpmCounts' && limits[name as keyof Limits] !== undefined) return true // a key of the object itself
  }
  return false
}
