import { resolve } from 'node:path'
import { isatty } from 'node:tty'
import type { Logger } from 'pino'
import pino from 'pino'
import type { LoadedConfig } from '../config/load-config.ts'
import { watchConfig } from '../config/watch-config.ts'
import { loadGenAiPrices } from '../prices/genai-prices.ts'
import type { RunningServer } from '../server.ts'
import { startServer } from '../server.ts'
import { renderBanner } from './banner.ts'
import { coloursWanted } from './colours-wanted.ts'
import { requireDataDir } from './data-dir.ts'
import { loadCommandConfig } from './load-command-config.ts'
import type { CommandContext, ConfigOptions } from './program.ts'
import { warnAboutNode } from './node-support.ts'
import { terminalLog } from './terminal-log.ts'
import { watchTerminal } from './watch-terminal.ts'

/**
 * `incipit serve`: starts the gateway and returns once it is ready. SIGINT or SIGTERM drains it, a
 * second signal ends it at once. SIGHUP and changes of the file have the configuration read again. Logs go to standard error, the banner or ready line to standard output.
 */
export async function runServe(
  options: ConfigOptions & { readonly testClock?: boolean },
  context: CommandContext,
): Promise<void> {
  const { testClock = false, ...configOptions } = options
  const load = (file?: string): Promise<LoadedConfig> => loadCommandConfig(configOptions, context, file)
  const config = await load()
  const log = logFor(config, options.json === true)
  for (const warning of [...config.warnings, ...warnAboutNode(process.versions.node)]) log.warn(warning)
  await requireDataDir(config.dataDir)
  const cancel = endOnSignalWhileStarting()
  const server = await startServer({ config, load, testClock, log }).finally(cancel)
  closeOnSignal(server, reloadOnChange(server, config.file ?? resolve(context.cwd, 'incipit.yaml')), log)
  process.stdout.write(options.json === true ? readyLine(server, config) : bannerOf(server, config, testClock))
  if (config.upstreams.length > 0) readPricesSoon(log)
}

const readPricesAfterMs = 500

/** Else the first answer of a model that is in no table of ours would wait for the list that is read then. */
function readPricesSoon(log: Logger): void {
  setTimeout(() => {
    try {
      loadGenAiPrices()
    } catch (err) {
      log.error({ err }, 'the price list of @pydantic/genai-prices cannot be read')
    }
  }, readPricesAfterMs).unref()
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

function reloadOnChange(server: RunningServer, file: string): { close(): void } {
  const others = (): string[] => (server.config.prices.file === undefined ? [] : [server.config.prices.file])
  return watchConfig({ file, others, onChange: () => void server.reload('file') })
}

function closeOnSignal(server: RunningServer, watcher: { close(): void }, log: Logger): void {
  const hungUp = watchTerminal()
  const end = (code: number): void => {
    if (!hungUp()) process.exit(code)
    // An ordinary exit resets the terminal, and Node aborts where that is gone.
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  }
  let closingSince: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closingSince !== undefined) {
      // Ctrl-C under npm arrives twice: from the terminal and from npm.
      if (performance.now() - closingSince > sameSignalMs) process.exit(130)
      return
    }
    closingSince = performance.now()
    watcher.close()
    log.info(
      { signal, seconds: server.config.server.shutdownSeconds },
      'closing; answers may finish, a second signal ends at once',
    )
    server.close().then(
      () => end(0),
      (error: unknown) => {
        log.error({ err: error }, 'closing failed')
        end(1)
      },
    )
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  process.on('SIGHUP', (signal) => (hungUp() ? onSignal(signal) : void server.reload('signal')))
}

function readyLine({ url, house }: RunningServer, { hash, upstreams }: LoadedConfig): string {
  const line = {
    event: 'ready',
    url,
    models: house.routes.models.map(({ name }) => name),
    upstreams: upstreams.map(({ name }) => name),
    engine_missing: house.engineMissing ?? null,
    config_hash: hash,
  }
  return `${JSON.stringify(line)}\n`
}

function bannerOf(server: RunningServer, config: LoadedConfig, testClock: boolean): string {
  const { engine, engineMissing, routes } = server.house
  const models = routes.models.map(({ name, aliases, replicas }) => {
    const loaded = engine?.models.find((model) => model.name === replicas[0])
    return { name, aliases, synthetic: loaded?.synthetic === true }
  })
  const upstreams = config.upstreams.map(({ name, kind, models }) => {
    const source = config.discovered.find((source) => source.name === name)
    return { name, kind, models, variables: source?.variables ?? [] }
  })
  return renderBanner({
    url: server.url,
    dataDir: config.dataDir,
    models,
    upstreams,
    testClock,
    engineMissing,
    strictModels: config.strictModels,
    keysRequired: config.keys.length > 0,
    colours: coloursWanted(),
  })
}
