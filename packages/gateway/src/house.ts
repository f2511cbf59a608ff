import type { Clock, Hasher } from '@incipit/core'
import type { Engine } from '@incipit/engine'
import type { Logger } from 'pino'
import type { KeyRing } from './authenticate/authenticate.ts'
import type { Config } from './config/config.ts'
import type { SnapshotBook } from './identify/snapshot-book.ts'
import type { KeyBook } from './keys/key-book.ts'
import type { Ledger } from './ledger/port.ts'
import type { Limiter } from './limits/limiter.ts'
import type { Limits } from './limits/limits.ts'
import type { ReuseBook } from './meter/reuse-book.ts'
import type { LayeredPrices } from './prices/layered-prices.ts'
import type { RouteTable } from './route/route.ts'
import type { Metrics } from './telemetry/metrics.ts'
import type { Tracing } from './telemetry/tracing.ts'

/** What one server keeps from start to end. */
export interface HousePorts {
  readonly clock: Clock
  readonly hasher: Hasher
  /** Keys the hashes of scopes and session ids. */
  readonly secret: Uint8Array
  readonly engine: Engine | undefined
  /** Why there is no engine; `undefined` where there is one. */
  readonly engineMissing: string | undefined
  readonly snapshots: SnapshotBook
  /** Who was served before, and with which opening. */
  readonly reuse: ReuseBook
  readonly ledger: Ledger
  /** Keys made while the gateway runs. */
  readonly book: KeyBook
  /** Rates and budgets of keys and organisations. */
  readonly limiter: Limiter
  readonly metrics: Metrics
  readonly tracing: Tracing
  readonly log: Logger
}

/** What comes from the configuration, and is replaced as a whole when that is read again. */
export interface HouseSettings {
  readonly keys: KeyRing
  /** Limits of organisations, by name. */
  readonly orgLimits: ReadonlyMap<string, Limits>
  readonly routes: RouteTable
  /** What models cost; unknown where it finds none. */
  readonly prices: LayeredPrices
  readonly config: Pick<Config, 'generation' | 'hash' | 'mode' | 'injectStreamUsage'> & {
    /** Prompts are shaped for the prefix caches of upstreams. */
    readonly optimises: boolean
    readonly maxBodyBytes: number
    /** Part of the sessions that is served as without Incipit. */
    readonly controlFraction: number
  }
}

/**
 * Everything a request meets on its way. A request keeps the house it began with, so that no stage
 * sees half of a changed configuration.
 */
export interface House extends HousePorts, HouseSettings {}
