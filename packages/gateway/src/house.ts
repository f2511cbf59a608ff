import type { Clock, Hasher } from '@incipit/core'
import type { Engine } from '@incipit/engine'
import type { Logger } from 'pino'
import type { KeyRing } from './authenticate/authenticate.ts'
import type { Config } from './config/config.ts'
import type { SnapshotBook } from './identify/snapshot-book.ts'
import type { Ledger } from './ledger/port.ts'
import type { RouteTable } from './route/route.ts'
import type { Metrics } from './telemetry/metrics.ts'

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
  readonly ledger: Ledger
  readonly metrics: Metrics
  readonly log: Logger
}

/** What comes from the configuration, and is replaced as a whole when that is read again. */
export interface HouseSettings {
  readonly keys: KeyRing
  readonly routes: RouteTable
  readonly config: Pick<Config, 'generation' | 'hash' | 'mode' | 'injectStreamUsage'> & {
    /** Prompts are shaped for the prefix caches of upstreams. */
    readonly optimises: boolean
    readonly maxBodyBytes: number
  }
}

/**
 * Everything a request meets on its way. A request keeps the house it began with, so that no stage
 * sees half of a changed configuration.
 */
export interface House extends HousePorts, HouseSettings {}
