import type { LatestEntries } from '../latest-entries.ts'
import type { EmulatorOptions } from '../provider.ts'
import type { TimedCache } from '../timed-cache.ts'
import type { MachineRouter } from './machine-router.ts'
import type { StoredResponse } from './stored-response.ts'

/** What an emulated OpenAI remembers between requests. */
export interface OpenAiState {
  readonly options: EmulatorOptions
  readonly cache: TimedCache
  readonly router: MachineRouter
  /** By id. */
  readonly responses: LatestEntries<StoredResponse>
}
