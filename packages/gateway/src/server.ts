import type { Clock } from '@incipit/core'
import type { Engine } from '@incipit/engine'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from './config/config.ts'
import type { LoadedConfig } from './config/load-config.ts'
import type { ReloadCause, ReloadResult } from './config/reload-config.ts'
import { ConfigReloader } from './config/reload-config.ts'
import { ReloadReport } from './config/reload-report.ts'
import { loadSecret } from './config/secret.ts'
import { noteModels, noteTurn } from './engine-log.ts'
import { engineConfig } from './engine-models.ts'
import { houseSettings } from './house-settings.ts'
import type { House, HousePorts } from './house.ts'
import { Listener } from './http/listener.ts'
import { Router } from './http/router.ts'
import { SnapshotBook } from './identify/snapshot-book.ts'
import { openKeyBook } from './keys/key-book.ts'
import { ThreadedKeyStore } from './keys/threaded-key-store.ts'
import type { SqliteLedger } from './ledger/sqlite-ledger.ts'
import { openSqliteLedger } from './ledger/sqlite-ledger.ts'
import { ledgerSpend } from './limits/ledger-spend.ts'
import { newLimiter } from './limits/limiter.ts'
import { MemoryWindows } from './limits/memory-windows.ts'
import { loadEngine } from './load-engine.ts'
import { systemClock, TestClock } from './ports/clock.ts'
import { ReuseBook } from './meter/reuse-book.ts'
import { nodeHasher } from './ports/node-hasher.ts'
import { noteFailure } from './refuse/refuse.ts'
import { errorFor, routes } from './routes.ts'
import { Metrics } from './telemetry/metrics.ts'
import { openTelemetry } from './telemetry/otel/open-telemetry.ts'
import { closeUpstreams } from './upstreams/upstream-set.ts'

/** What a server is started with. */
export interface ServerInput {
  readonly config: LoadedConfig
  /** Reads the configuration again; `file` is the one in effect, where there is one. */
  readonly load: (file: string | undefined) => Promise<LoadedConfig>
  /** Allows `POST /admin/clock`. */
  readonly testClock: boolean
  readonly log: Logger
}

/** A server that is ready: it answers at `url` until `close` resolves. */
export interface RunningServer {
  readonly url: string
  /** As the next request meets it: another one after each accepted configuration. */
  readonly house: House
  /** The configuration in effect. */
  readonly config: LoadedConfig
  /** Reads the configuration again; what is refused leaves the old one in effect. */
  reload(cause: ReloadCause): Promise<ReloadResult>
  /** Drains: readiness fails, answers finish for the time configured, then store and engine close. */
  close(): Promise<void>
}

/**
 * Opens the store, starts the engine, listens. Anything opened is closed again when a later step fails.
 * @throws Error in plain words when the store, the engine's models or the address cannot be had
 * @example const server = await startServer({ config, testClock: false, log })
 */
export async function startServer({ config, load, testClock, log }: ServerInput): Promise<RunningServer> {
  const clock = testClock ? new TestClock(systemClock) : systemClock
  const secret = await loadSecret(config)
  const metrics = new Metrics(config.telemetry)
  const tracing = await openTelemetry({ env: process.env, log, ...config.telemetry })
  const ledger = await openLedger(config, { metrics, log, clock })
  const opened: { close(): Promise<void> }[] = [ledger]
  try {
    const started = await startEngineOf(config, log, clock)
    if (started.engine !== undefined) opened.unshift(started.engine)
    const book = await openKeyBook({
      store: new ThreadedKeyStore({ file: join(config.dataDir, 'keys.db'), url: config.store.url ?? undefined }),
      clock,
      log,
    })
    opened.unshift(book)
    const limiter = newLimiter({ windows: new MemoryWindows(clock), source: ledgerSpend(ledger), clock, log })
    const snapshots = await SnapshotBook.open(join(config.dataDir, 'snapshots.json'))
    const books = { snapshots, reuse: new ReuseBook(), book }
    const kept = { secret, ledger, limiter, metrics, tracing, ...books, ...started }
    const ports = { clock, log, hasher: nodeHasher, ...kept }
    const rooms = furnish(config, load, ports, ({ retention }) => ledger.keep(retention))
    const listener = listenerFor(rooms, config, clock instanceof TestClock ? clock : undefined)
    const url = await listener.listen(config.server.host, config.server.port)
    const close = async (): Promise<void> => {
      const { drainSeconds, shutdownSeconds } = rooms.reloader.config.server
      listener.drain()
      await new Promise((resolve) => setTimeout(resolve, drainSeconds * 1000))
      await listener.close(shutdownSeconds * 1000)
      metrics.close()
      await tracing.close()
      await closeAll([...rooms.house().routes.upstreams, ...opened])
    }
    return {
      url,
      get house() {
        return rooms.house()
      },
      get config() {
        return rooms.reloader.config
      },
      reload: (cause) => rooms.reloader.reload(cause),
      close,
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

async function openLedger(
  config: Config,
  { metrics, log, clock }: { metrics: Metrics; log: Logger; clock: Clock },
): Promise<SqliteLedger> {
  const ledger = await openSqliteLedger({
    file: join(config.dataDir, 'incipit.db'),
    url: config.store.url ?? undefined,
    now: () => clock.now(),
    retention: config.retention,
    onRefused: ({ rows, messages }) => {
      metrics.lostEvent(rows)
      log.error({ rows, reasons: messages }, 'the store of the ledger refused events: they are lost')
    },
    onState: (state) => {
      if (state.kind === 'failing') log.warn(state, 'the store of the ledger takes no events: they wait in journals')
      else log.info(state, 'the store of the ledger takes events again')
    },
  })
  metrics.followLedger(() => ledger.counters)
  return ledger
}

interface StartedEngine {
  readonly engine: Engine | undefined
  readonly engineMissing: string | undefined
}

async function startEngineOf(config: Config, log: Logger, clock: Clock): Promise<StartedEngine> {
  if (!config.engine.enabled) return { engine: undefined, engineMissing: 'engine.enabled is false' }
  const settings = engineConfig(config)
  const started = await loadEngine(settings, {
    now: () => clock.now(),
    onTurn: (turn) => noteTurn(turn, settings, log),
  })
  if (started.kind === 'started') {
    noteModels(started.engine.models, settings, log)
    return { engine: started.engine, engineMissing: undefined }
  }
  log.warn({ reason: started.reason }, 'the local engine is off')
  return { engine: undefined, engineMissing: started.reason }
}

/** The house as it is now, and what changes it. */
interface Rooms {
  readonly house: () => House
  readonly reloader: ConfigReloader
  readonly report: ReloadReport
}

function furnish(
  config: LoadedConfig,
  load: ServerInput['load'],
  ports: HousePorts,
  onApplied: (config: LoadedConfig) => void,
): Rooms {
  let house: House = { ...ports, ...houseSettings(config, ports, []) }
  const report = new ReloadReport(config, ports)
  const reloader = new ConfigReloader(config, {
    load,
    apply: (next) => {
      const { upstreams } = house.routes
      // One assignment: a request sees the old configuration or the new one.
      house = { ...ports, ...houseSettings(next, ports, upstreams) }
      onApplied(next)
      void closeUpstreams(upstreams, house.routes.upstreams)
    },
    onResult: (result, cause) => report.note(result, cause),
  })
  return { house: () => house, reloader, report }
}

function listenerFor(rooms: Rooms, config: Config, testClock: TestClock | undefined): Listener {
  const listener: Listener = new Listener({
    router: new Router(routes({ ...rooms, testClock, closing: () => listener.closing })),
    errorFor,
    maxHeaderBytes: config.server.maxHeaderBytes,
    maxConnections: config.server.maxConnections,
    requestTimeoutMs: config.server.requestTimeoutSeconds * 1000,
    onUnexpected: (cause, exchange) => noteFailure(cause, 'none', exchange, rooms.house()),
  })
  return listener
}

async function closeAll(opened: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const part of opened) await part.close()
}
