import type { CacheMark } from '../../domain/conversation.ts'
import type { MarkRules } from '../../domain/dialect.ts'
import type { Warning } from '../../domain/warning.ts'

type Ttl = MarkRules['ttls'][number]

const minutes: Readonly<Record<Ttl, number>> = { '5m': 5, '30m': 30, '1h': 60, '12h': 720 }

/** The life to ask a target for, and what changed on the way. */
export interface TargetTtl {
  /** `undefined` = the target's bare mark. */
  readonly ttl: Ttl | undefined
  readonly warnings: readonly Warning[]
}

/**
 * The counterpart of a mark's life: the shortest one the target offers that lasts at least as long; where none
 * does, its longest, with a warning. A bare mark stays bare: it leaves the choice to the provider.
 *
 * @example targetTtl({ ttl: '1h' }, rules, '/system/0/cache_control')
 */
export function targetTtl(mark: CacheMark, rules: MarkRules, where: string): TargetTtl {
  const wanted = mark.ttl
  if (wanted === undefined || rules.ttls.length === 0) return { ttl: undefined, warnings: [] }
  const ascending = [...rules.ttls].sort((a, b) => minutes[a] - minutes[b])
  const found = ascending.find((ttl) => minutes[ttl] >= minutes[wanted]) ?? ascending.at(-1)
  // What a bare mark gives need not be spelled out.
  const ttl = found === rules.ttls[0] ? undefined : found
  if (found === undefined || minutes[found] >= minutes[wanted]) return { ttl, warnings: [] }
  const detail = `a life of ${wanted} was asked for, ${found} is the longest this upstream takes`
  return { ttl, warnings: [{ code: 'ttl_changed', where, detail }] }
}
