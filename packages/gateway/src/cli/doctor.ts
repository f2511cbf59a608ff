import { availableParallelism, freemem, totalmem } from 'node:os'
import pc from 'picocolors'
import { formatByteSize } from '../config/byte-size.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { coloursWanted } from './colours-wanted.ts'
import { whyDataDirUnusable } from './data-dir.ts'
import { diskFinding, tierFindings } from './engine-findings.ts'
import { loadCommandConfig } from './load-command-config.ts'
import { modelFindings } from './model-findings.ts'
import { warnAboutNode } from './node-support.ts'
import { storeFinding } from './store-finding.ts'
import { upstreamFindings } from './upstream-findings.ts'
import type { CommandContext, ConfigOptions } from './program.ts'

/** One thing looked at. */
export interface Finding {
  readonly check:
    | 'node'
    | 'platform'
    | 'config'
    | 'engine'
    | 'data_dir'
    | 'models'
    | 'memory'
    | 'disk'
    | 'tiers'
    | 'template'
    | 'store'
    | 'upstreams'
  readonly verdict: 'ok' | 'warning' | 'failed'
  readonly detail: string
}

/** `incipit doctor`: looks at everything `serve` needs, and exits with 1 when something would fail. */
export async function runDoctor(options: ConfigOptions, context: CommandContext): Promise<void> {
  const config = await loadCommandConfig(options, context)
  const findings = [
    nodeFinding(process.versions.node),
    platformFinding(),
    configFinding(config),
    await dataDirFinding(config.dataDir),
    await engineFinding(config.engine.enabled),
    ...(await modelFindings(config)),
    memoryFinding(config),
    await diskFinding(config),
    ...(await tierFindings(config, context.env)),
    await storeFinding(config),
    ...(await upstreamFindings(config, context.env)),
  ]
  const healthy = findings.every(({ verdict }) => verdict !== 'failed')
  process.stdout.write(
    options.json === true ? `${JSON.stringify({ healthy, findings }, null, 2)}\n` : renderFindings(findings),
  )
  if (!healthy) process.exitCode = 1
}

/** @example renderFindings([{ check: 'node', verdict: 'ok', detail: '24.1.0' }]) */
export function renderFindings(findings: readonly Finding[], colours: boolean = coloursWanted()): string {
  const { green, red, yellow } = pc.createColors(colours)
  const colour = { ok: green, warning: yellow, failed: red }
  return findings
    .map(({ check, verdict, detail }) => `${colour[verdict](verdict.padEnd(8))} ${check.padEnd(9)} ${detail}\n`)
    .join('')
}

export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    return { check: 'node', verdict: 'failed', detail: `${version}, at least 20.19 is needed` }
  }
  const [warning] = warnAboutNode(version)
  return { check: 'node', verdict: warning === undefined ? 'ok' : 'warning', detail: warning ?? version }
}

function platformFinding(): Finding {
  const cores = availableParallelism()
  return { check: 'platform', verdict: 'ok', detail: `${process.platform} ${process.arch}, ${cores} cores` }
}

function configFinding({ file, warnings }: LoadedConfig): Finding {
  const detail = [file ?? 'no file: defaults, environment and flags', ...warnings].join('; ')
  return { check: 'config', verdict: warnings.length === 0 ? 'ok' : 'warning', detail }
}

export async function dataDirFinding(dataDir: string): Promise<Finding> {
  const why = await whyDataDirUnusable(dataDir)
  if (why !== undefined) return { check: 'data_dir', verdict: 'failed', detail: `${dataDir} cannot be used: ${why}` }
  return { check: 'data_dir', verdict: 'ok', detail: `${dataDir} is writable` }
}

/** Loads the library and runs its self-check, as the engine does when it starts. */
async function engineFinding(enabled: boolean): Promise<Finding> {
  if (!enabled) return { check: 'engine', verdict: 'ok', detail: 'off: engine.enabled is false' }
  try {
    const { loadNative } = await import('@incipit/engine')
    const load = loadNative()
    if (load.kind === 'unavailable') return { check: 'engine', verdict: 'failed', detail: load.reason }
    return {
      check: 'engine',
      verdict: 'ok',
      detail: `${load.native.packageName}, llama.cpp ${load.native.version}, self-check passed`,
    }
  } catch (error) {
    return {
      check: 'engine',
      verdict: 'failed',
      detail: `@incipit/engine cannot be loaded: ${(error as Error).message}`,
    }
  }
}

/** The budgets of the engine against what the machine has; weights come on top. */
export function memoryFinding(
  { engine }: Pick<LoadedConfig, 'engine'>,
  total: number = totalmem(),
  free: number = freemem(),
): Finding {
  const hot = engine.hotBytes === 'auto' ? 0 : engine.hotBytes
  const budget = engine.enabled ? hot + engine.ramBytes : 0
  const hotText = engine.hotBytes === 'auto' ? 'auto' : formatByteSize(engine.hotBytes)
  const detail = `budgets: hot ${hotText}, ram ${formatByteSize(engine.ramBytes)}, disk ${formatByteSize(engine.diskBytes)}; machine: ${formatByteSize(total)}, ${formatByteSize(free)} free`
  const verdict = budget > total ? 'failed' : budget > free ? 'warning' : 'ok'
  return { check: 'memory', verdict, detail }
}
