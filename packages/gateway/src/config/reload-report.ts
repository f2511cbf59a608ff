import type { EpochMs } from '@incipit/core'
import type { HousePorts } from '../house.ts'
import type { LoadedConfig } from './load-config.ts'
import type { ReloadCause, ReloadResult } from './reload-config.ts'

/** The last configuration that was refused. */
export interface ReloadFailure {
  readonly at: EpochMs
  readonly error: string
}

/** Tells log and metrics what became of each reading of the configuration, and remembers the last refusal. */
export class ReloadReport {
  readonly #ports: Pick<HousePorts, 'clock' | 'log' | 'metrics'>
  #loadedAt: EpochMs
  #needRestart: readonly string[] = []
  #failure: ReloadFailure | undefined

  /** Side effect: the gauge shows the first generation. */
  constructor(config: LoadedConfig, ports: Pick<HousePorts, 'clock' | 'log' | 'metrics'>) {
    this.#ports = ports
    this.#loadedAt = ports.clock.now()
    ports.metrics.configured(config.generation)
  }

  /** When the configuration in effect was accepted. */
  get loadedAt(): EpochMs {
    return this.#loadedAt
  }

  /** Settings whose new values wait for a restart. */
  get needRestart(): readonly string[] {
    return this.#needRestart
  }

  /** `undefined` = none since the configuration in effect was read. */
  get failure(): ReloadFailure | undefined {
    return this.#failure
  }

  /** Side effects: a line in the log, the log's own level, gauges and counters. */
  note(result: ReloadResult, cause: ReloadCause): void {
    if (result.kind === 'refused') this.#refused(result.error, cause)
    else this.#accepted(result, cause)
  }

  #refused(error: string, cause: ReloadCause): void {
    const { clock, log, metrics } = this.#ports
    this.#failure = { at: clock.now(), error }
    metrics.reloadFailed(this.#failure.at)
    log.error({ cause, error }, 'the changed configuration is refused; the old one stays in effect')
  }

  #accepted(result: Exclude<ReloadResult, { kind: 'refused' }>, cause: ReloadCause): void {
    const { clock, log, metrics } = this.#ports
    const { config, needRestart, kind } = result
    this.#failure = undefined
    this.#needRestart = needRestart
    if (needRestart.length > 0) log.warn({ cause, settings: needRestart }, 'takes effect after a restart')
    if (kind === 'unchanged') {
      log.debug({ cause, generation: config.generation }, 'the configuration has not changed')
      return
    }
    this.#loadedAt = clock.now()
    metrics.configured(config.generation)
    log.level = config.log.level
    for (const warning of config.warnings) log.warn(warning)
    log.info({ cause, generation: config.generation, hash: config.hash }, 'a changed configuration is in effect')
  }
}
