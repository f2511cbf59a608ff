import type { Clock, Hasher } from '@incipit/core'
import type { Engine } from '@incipit/engine'
import type { Logger } from 'pino'
import type { KeyRing } from './authenticate/authenticate.ts'
import type { SnapshotBook } from './identify/snapshot-book.ts'
import type { Ledger } from './ledger/port.ts'
import type { RouteTable } from './route/route.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** Everything a request meets on its way: the ports and tables one server is made of. */
export interface House {
  readonly clock: Clock
  readonly hasher: Hasher
  /** Keys the hashes of scopes and session ids. */
  readonly secret: Uint8Array
  readonly keys: KeyRing
  readonly routes: RouteTable
  readonly engine: Engine | undefined
  /** Why there is no engine; `undefined` where there is one. */
  readonly engineMissing: string | undefined
  readonly snapshots: SnapshotBook
  readonly ledger: Ledger
  readonly metrics: Metrics
  readonly log: Logger
  readonly config: { readonly generation: number; readonly hash: string; readonly maxBodyBytes: number }
}
