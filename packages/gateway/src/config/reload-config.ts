import { isDeepStrictEqual } from 'node:util'
import { ConfigError } from './config-error.ts'
import { crossCheck } from './cross-checks.ts'
import { nameOf } from './describe-issues.ts'
import { keepFixed, settingsOf } from './keep-fixed.ts'
import type { LoadedConfig } from './load-config.ts'

/** What asked for the configuration to be read again. */
export type ReloadCause = 'file' | 'signal' | 'request'

/** What became of reading it. */
export type ReloadResult =
  | { readonly kind: 'applied'; readonly config: LoadedConfig; readonly needRestart: readonly string[] }
  | { readonly kind: 'unchanged'; readonly config: LoadedConfig; readonly needRestart: readonly string[] }
  | { readonly kind: 'refused'; readonly config: LoadedConfig; readonly error: string }

/** What the reloader needs of the gateway around it. */
export interface ReloadPorts {
  /** Reads the configuration as at the start; `file` is the one in effect, where there is one. */
  load(file: string | undefined): Promise<LoadedConfig>
  /** Puts a configuration into effect; throwing keeps the old one. */
  apply(config: LoadedConfig): void
  /** Told once for each time it was read. */
  onResult(result: ReloadResult, cause: ReloadCause): void
}

/**
 * Holds the configuration in effect and reads it again on request, one at a time. Whatever goes wrong,
 * the old one stays in effect as a whole.
 *
 * @example const result = await new ConfigReloader(config, ports).reload('signal')
 */
export class ConfigReloader {
  readonly #ports: ReloadPorts
  #config: LoadedConfig
  #last: Promise<unknown> = Promise.resolve()

  constructor(config: LoadedConfig, ports: ReloadPorts) {
    this.#config = config
    this.#ports = ports
  }

  /** The configuration in effect. */
  get config(): LoadedConfig {
    return this.#config
  }

  reload(cause: ReloadCause): Promise<ReloadResult> {
    const next = this.#last.then(async () => {
      const result = await this.#read()
      this.#ports.onResult(result, cause)
      return result
    })
    this.#last = next.catch(() => undefined)
    return next
  }

  async #read(): Promise<ReloadResult> {
    const running = this.#config
    try {
      const loaded = await this.#ports.load(running.file)
      // What a program that writes in two steps leaves for a moment must not open a gateway by having no keys.
      if (loaded.empty && !running.empty) throw new ConfigError(`${loaded.file} is empty`)
      const { config: kept, needRestart } = keepFixed(running, loaded)
      refuseUnsafeMix(kept)
      if (isDeepStrictEqual(settingsOf(running), settingsOf(kept))) {
        return { kind: 'unchanged', config: running, needRestart }
      }
      const config = { ...kept, generation: running.generation + 1 }
      this.#ports.apply(config)
      this.#config = config
      return { kind: 'applied', config, needRestart }
    } catch (error) {
      return { kind: 'refused', config: running, error: reasonOf(error) }
    }
  }
}

/** The new keys may suit only the new address, which waits for a restart: no keys and an open address never meet. */
function refuseUnsafeMix(config: LoadedConfig): void {
  const [problem] = crossCheck(config).problems
  if (problem === undefined) return
  throw new ConfigError(
    `with what stays until a restart, the configuration cannot be used: ${nameOf(problem.path)}: ${problem.text}`,
  )
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
