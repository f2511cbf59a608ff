import { isatty } from 'node:tty'
import type { Logger } from 'pino'
import pino from 'pino'
import type { LoadedConfig } from '../config/load-config.ts'
import type { RunningServer } from '../server.ts'
import { startServer } from '../server.ts'
import { renderBanner } from './banner.ts'
import { coloursWanted } from './colours-wanted.ts'
import { requireDataDir } from './data-dir.ts'
import { loadCommandConfig } from './load-command-config.ts'
import type { CommandContext, ConfigOptions } from './program.ts'
import { warnAboutNode } from './node-support.ts'
import { terminalLog } from './terminal-log.ts'

/**
 * `incipit serve`: starts the gateway and returns once it is ready. SIGINT or SIGTERM drains it, a
 * second signal ends it at once. Logs go to standard error, the banner or ready line to standard output.
 */
export async function runServe(
  options: ConfigOptions & { readonly testClock?: boolean },
  context: CommandContext,
): Promise<void> {
  const { testClock = false, ...configOptions } = options
  const config = await loadCommandConfig(configOptions, context)
  const log = logFor(config, options.json === true)
  for (const warning of [...config.warnings, ...warnAboutNode(process.versions.node)]) log.warn(warning)
  await requireDataDir(config.dataDir)
  const cancel = endOnSignalWhileStarting()
  const server = await startServer({ config, testClock, log }).finally(cancel)
  closeOnSignal(server, config, log)
  process.stdout.write(options.json === true ? readyLine(server, config) : bannerOf(server, config, testClock))
}

/** Lines for people on a terminal, JSON for everything that reads them. */
function logFor({ log }: LoadedConfig, json: boolean): Logger {
  const options = { base: null, level: log.level }
  if (json || !isatty(2)) return pino(options, pino.destination({ dest: 2, sync: false }))
  return pino(
    options,
    terminalLog((text) => void process.stderr.write(text), coloursWanted(2)),
  )
}

const sameSignalMs = 300

/** Nothing is served yet that could be drained: the first signal ends the process. */
function endOnSignalWhileStarting(): () => void {
  const end = (): never => process.exit(130)
  process.once('SIGINT', end).once('SIGTERM', end)
  return () => void process.off('SIGINT', end).off('SIGTERM', end)
}

function closeOnSignal(server: RunningServer, config: LoadedConfig, log: Logger): void {
  let closingSince: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closingSince !== undefined) {
      // Ctrl-C under npm arrives twice: from the terminal and from npm.
      if (performance.now() - closingSince > sameSignalMs) process.exit(130)
      return
    }
    closingSince = performance.now()
    log.info(
      { signal, seconds: config.server.shutdownSeconds },
      'closing; answers may finish, a second signal ends at once',
    )
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'closing failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
}

function readyLine(server: RunningServer, config: LoadedConfig): string {
  const { house } = server
  const models = house.routes.models.map(({ name }) => name)
  return `${JSON.stringify({ event: 'ready', url: server.url, models, engine_missing: house.engineMissing ?? null, config_hash: config.hash })}\n`
}

function bannerOf(server: RunningServer, config: LoadedConfig, testClock: boolean): string {
  const { engine, routes } = server.house
  const models = routes.models.map(({ name, aliases, replicas }) => {
    const loaded = engine?.models.find((model) => model.name === replicas[0])
    return { name, aliases, synthetic: loaded?.synthetic === true }
  })
  return renderBanner({
    url: server.url,
    models,
    testClock,
    strictModels: config.strictModels,
    keysRequired: config.keys.length > 0,
    engineMissing: server.house.engineMissing,
    colours: coloursWanted(),
  })
}
