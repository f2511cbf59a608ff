import type { Engine, EngineConfig } from '@incipit/engine'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { KeyRing } from './authenticate/authenticate.ts'
import type { Config } from './config/config.ts'
import { loadSecret } from './config/secret.ts'
import { engineModels, servedModels } from './engine-models.ts'
import type { House } from './house.ts'
import { Listener } from './http/listener.ts'
import { Router } from './http/router.ts'
import { SnapshotBook } from './identify/snapshot-book.ts'
import { openSqliteLedger } from './ledger/sqlite-ledger.ts'
import { loadEngine } from './load-engine.ts'
import { systemClock, TestClock } from './ports/clock.ts'
import { nodeHasher } from './ports/node-hasher.ts'
import { noteFailure } from './refuse/refuse.ts'
import { errorFor, routes } from './routes.ts'
import { Metrics } from './telemetry/metrics.ts'

/** What a server is started with. */
export interface ServerInput {
  readonly config: Config
  /** Allows `POST /admin/clock`. */
  readonly testClock: boolean
  readonly log: Logger
}

/** A server that is ready: it answers at `url` until `close` resolves. */
export interface RunningServer {
  readonly url: string
  readonly house: House
  /** Drains: readiness fails, answers finish for the time configured, then store and engine close. */
  close(): Promise<void>
}

/**
 * Opens the store, starts the engine, listens. Anything opened is closed again when a later step fails.
 * @throws Error in plain words when the store, the engine's models or the address cannot be had
 * @example const server = await startServer({ config, testClock: false, log })
 */
export async function startServer({ config, testClock, log }: ServerInput): Promise<RunningServer> {
  const clock = testClock ? new TestClock(systemClock) : systemClock
  const secret = await loadSecret(config)
  const ledger = await openSqliteLedger({ file: join(config.dataDir, 'incipit.db') })
  const opened: { close(): Promise<void> }[] = [ledger]
  try {
    const started = await startEngineOf(config, log)
    if (started.engine !== undefined) opened.unshift(started.engine)
    const metrics = new Metrics()
    const house = build({ config, ledger, metrics, log, secret, clock, ...started })
    const listener = listenerFor(house, config, clock instanceof TestClock ? clock : undefined)
    const url = await listener.listen(config.server.host, config.server.port)
    const close = async (): Promise<void> => {
      listener.drain()
      await new Promise((resolve) => setTimeout(resolve, config.server.drainSeconds * 1000))
      await listener.close(config.server.shutdownSeconds * 1000)
      metrics.close()
      await closeAll(opened)
    }
    return { url, house, close }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

interface StartedEngine {
  readonly engine: Engine | undefined
  readonly engineMissing: string | undefined
}

async function startEngineOf(config: Config, log: Logger): Promise<StartedEngine> {
  if (!config.engine.enabled) return { engine: undefined, engineMissing: 'engine.enabled is false' }
  const engineConfig: EngineConfig = {
    models: engineModels(config.engine.models),
    dataDir: config.dataDir,
    threads: config.engine.threads,
    hotBytes: config.engine.hotBytes,
    ramBytes: config.engine.ramBytes,
    flashAttention: config.engine.flashAttention,
    minCachedTokens: config.engine.minCachedTokens,
    maxConcurrent: config.engine.maxConcurrent,
    maxQueued: config.engine.maxQueued,
  }
  const started = await loadEngine(engineConfig)
  if (started.kind === 'started') return { engine: started.engine, engineMissing: undefined }
  log.warn({ reason: started.reason }, 'the local engine is off')
  return { engine: undefined, engineMissing: started.reason }
}

function build(
  parts: StartedEngine & Pick<House, 'ledger' | 'metrics' | 'log' | 'secret' | 'clock'> & { config: Config },
): House {
  const { config, ...ports } = parts
  return {
    ...ports,
    hasher: nodeHasher,
    keys: new KeyRing(config.keys),
    routes: {
      models: parts.engine === undefined ? [] : servedModels(config.engine.models),
      strictModels: config.strictModels,
    },
    snapshots: new SnapshotBook(),
    config: { generation: config.generation, hash: config.hash, maxBodyBytes: config.server.maxBodyBytes },
  }
}

function listenerFor(house: House, config: Config, testClock: TestClock | undefined): Listener {
  const listener: Listener = new Listener({
    router: new Router(routes({ house, testClock, closing: () => listener.closing })),
    errorFor,
    maxHeaderBytes: config.server.maxHeaderBytes,
    maxConnections: config.server.maxConnections,
    requestTimeoutMs: config.server.requestTimeoutSeconds * 1000,
    onUnexpected: (cause, exchange) => noteFailure(cause, 'none', exchange, house),
  })
  return listener
}

async function closeAll(opened: readonly { close(): Promise<void> }[]): Promise<void> {
  for (const part of opened) await part.close()
}
