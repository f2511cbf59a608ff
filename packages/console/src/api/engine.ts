import type { Reported } from './summary.ts'

/** The tiers of the cache, in the order in which they are looked through. */
export const tiers = ['hot', 'ram', 'disk'] as const
export type Tier = (typeof tiers)[number]

/** What people call them. */
export const tierNames: Readonly<Record<Tier, string>> = { hot: 'Hot', ram: 'RAM', disk: 'Disk' }

/** One tier of one model, as `GET /v1/engine` tells it. */
export interface TierUse {
  readonly tokens?: Reported
  readonly capacity_tokens?: Reported
  readonly blocks?: Reported
  readonly bytes?: Reported
  readonly capacity_bytes?: Reported
}

export interface HotUse extends TierUse {
  readonly held_tokens?: Reported
}

export interface DiskUse extends TierUse {
  readonly off?: string | null
  readonly store?: string | null
  readonly restored?: Reported
  readonly discarded?: Reported
  readonly written?: Reported
  readonly read?: Reported
  readonly evicted?: Reported
  readonly failed_writes?: Reported
}

/** One model that the local engine serves, or an instance of one. */
export interface EngineModel {
  readonly model: string
  readonly context_tokens?: Reported
  readonly prefix_cache_off?: string | null
  readonly running?: Reported
  readonly queued?: Reported
  readonly hot?: HotUse
  readonly ram?: TierUse
  readonly disk?: DiskUse
  readonly tokens?: Readonly<Record<string, Reported>>
  readonly pins?: { readonly count?: Reported; readonly tokens?: Reported; readonly dropped?: Reported }
}

export interface EngineState {
  readonly running?: Reported
  readonly queued?: Reported
  readonly resident_bytes?: Reported
  readonly budget_bytes?: Reported
  readonly restarts?: Reported
  readonly models?: readonly EngineModel[]
}

/** A node of the tree of cached prefixes, as `GET /v1/prefixes?source=engine` lists it. */
export interface PrefixRow {
  readonly id: string
  readonly model: string
  readonly org: string | null
  readonly tier: Tier
  /** Its place in the list, always before this one. */
  readonly parent: number | null
  readonly depth: number
  readonly start: number
  readonly tokens: number
  readonly children: number
  readonly hits: number
  readonly age_ms: number | null
  readonly last_used: string
}

export type TierTotals = Readonly<Record<Tier, { readonly nodes: number; readonly tokens: number }>>

export interface PrefixList {
  readonly total?: number
  readonly truncated?: boolean
  readonly tiers?: TierTotals
  readonly data?: readonly PrefixRow[]
}

/** A prefix that is kept on request, as `GET /v1/pins` lists it. */
export interface Pin {
  readonly id: string
  readonly model: string
  readonly org: string | null
  readonly tokens: number
  readonly ttl_ms: number
  readonly pinned_at: string
  readonly expires_at: string
  readonly expires_in_ms: number
  readonly reads: number
}

export interface PinList {
  readonly total?: number
  readonly truncated?: boolean
  readonly data?: readonly Pin[]
}
