import { readFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { readConfigDocument } from './config-document.ts'
import type { ConfigDocument } from './config-document.ts'
import { ConfigError } from './config-error.ts'
import { caFileProblems } from './ca-file-problems.ts'
import { configHash } from './config-hash.ts'
import type { Config, ConfigSettings } from './config.ts'
import { crossCheck } from './cross-checks.ts'
import type { DiscoverySource } from './discover-upstreams.ts'
import { discoveredOverride } from './discovered-override.ts'
import type { IssueContext } from './describe-issues.ts'
import { describeIssues, nameOf, valueAt } from './describe-issues.ts'
import type { Environment } from './environment-references.ts'
import { isSecret } from './is-secret.ts'
import type { ConfigFlags, Override } from './overrides.ts'
import { numeric, overridesOf, truth } from './overrides.ts'
import type { ConfigIssue, ConfigPath } from './schema.ts'
import { parseConfig } from './schema.ts'
import { isUpstreamKey, upstreamKey } from '../prices/upstream-key.ts'
import { readPriceFile } from '../prices/read-price-file.ts'
import { withValue } from './with-value.ts'

/** Where a configuration is put together from. */
export interface ConfigSources {
  /** `--config`; left out: `incipit.yaml` in `cwd`, if it is there. */
  readonly file?: string | undefined
  readonly flags: ConfigFlags
  readonly env: Environment
  readonly cwd: string
}

/** A configuration, where it came from, and what deserves a look. */
export interface LoadedConfig extends Config {
  /** Absolute path of the file read; `undefined` = none. */
  readonly file: string | undefined
  /** There is no file, or nothing in it. */
  readonly empty: boolean
  readonly warnings: readonly string[]
  /** Upstreams that the environment gave, not the file. */
  readonly discovered: readonly DiscoverySource[]
}

const mostProblems = 20

/**
 * Flags over environment over file over defaults. Paths of the file are relative to it, others to `cwd`.
 * @throws ConfigError naming every problem (at most 20) with its place
 * @example const config = await loadConfig({ flags: {}, env: process.env, cwd: process.cwd() })
 */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const { env, cwd } = sources
  const file = await readConfigFile(sources)
  const document = readConfigDocument(file?.text ?? '', env)
  const shownFile = file === undefined ? 'configuration' : shownPath(file.path, cwd)
  refuseIf(
    document.problems.map(({ line, column, text }) => `${shownFile}:${line}:${column}  ${text}`),
    shownFile,
  )
  const given = overridesOf(sources.flags, env)
  const discovery = discoveredOverride(document.value, given, env)
  const overrides = [...given, ...discovery.overrides]
  const { value, issues, settings } = validate(document, overrides)
  const context = contextOf({ value, document, overrides, shownFile })
  const blamed = (paths: readonly ConfigPath[]): string =>
    paths.some((path) => sourceOf(path, overrides) !== undefined) ? 'the configuration' : shownFile
  if (settings === undefined) throw refusal(describeIssues(issues, context), blamed(issues.map(({ path }) => path)))

  const { problems, warnings } = crossCheck(settings)
  refuseIf(
    problems.map(({ path, text }) => `${context.place(path)}  ${nameOf(path)}: ${text}`),
    blamed(problems.map(({ path }) => path)),
  )
  const base = file === undefined ? cwd : dirname(file.path)
  const effective = withAbsolutePaths(settings, (path) => (sourceOf(path, overrides) === undefined ? base : cwd))
  refuseIf(
    (await caFileProblems(effective.upstreams)).map(
      ({ path, text }) => `${context.place(path)}  ${nameOf(path)}: ${text}`,
    ),
    shownFile,
  )
  const priced = await withPrices(effective)
  return {
    ...priced,
    generation: 1,
    hash: configHash(priced),
    file: file?.path,
    empty: (file?.text ?? '').trim() === '',
    warnings: [...warnings, ...pricedNowhere(priced), ...discovery.skipped],
    discovered: discovery.sources,
  }
}

async function readConfigFile({ file, cwd }: ConfigSources): Promise<{ path: string; text: string } | undefined> {
  const path = resolve(cwd, file ?? 'incipit.yaml')
  try {
    return { path, text: await readFile(path, 'utf8') }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException // fs rejects with these only
    if (file === undefined && code === 'ENOENT') return undefined
    const why = code === 'ENOENT' ? 'it does not exist' : code === 'EISDIR' ? 'it is a folder' : String(code)
    throw new ConfigError(`${shownPath(path, cwd)} cannot be read: ${why}`, { cause })
  }
}

interface Validated {
  readonly value: unknown
  readonly issues: readonly ConfigIssue[]
  readonly settings: ConfigSettings | undefined
}

/** Environment values are text: where the schema wants a number or a truth value, they are read as one. */
function validate(document: ConfigDocument, overrides: readonly Override[]): Validated {
  let value = overrides.reduce((value, override) => withValue(value, override.path, override.value), document.value)
  let parsed = parseConfig(value)
  if (parsed.kind === 'invalid') {
    for (const { path } of parsed.issues) {
      const text = valueAt(value, path)
      if (typeof text !== 'string' || !document.fromEnvironment.has(path.join('.'))) continue
      const read = numeric(text)
      value = withValue(value, path, typeof read === 'number' ? read : truth(text))
    }
    parsed = parseConfig(value)
  }
  return parsed.kind === 'valid'
    ? { value, issues: [], settings: parsed.settings }
    : { value, issues: parsed.issues, settings: undefined }
}

function contextOf(parts: {
  readonly value: unknown
  readonly document: ConfigDocument
  readonly overrides: readonly Override[]
  readonly shownFile: string
}): IssueContext {
  const { value, document, overrides, shownFile } = parts
  return {
    value,
    place: (path) => {
      const source = sourceOf(path, overrides)
      if (source !== undefined) return source
      const { line, column } = document.locate(path)
      return `${shownFile}:${line}:${column}`
    },
    hidden: (path) => isSecret(path, valueAt(value, path)) || document.fromEnvironment.has(path.join('.')),
  }
}

/** The flag or variable that gave the value at `path`, or anything around it. */
function sourceOf(path: ConfigPath, overrides: readonly Override[]): string | undefined {
  return overrides.findLast((override) => override.path.every((part, index) => path[index] === part))?.source
}

function withAbsolutePaths(settings: ConfigSettings, base: (path: ConfigPath) => string): ConfigSettings {
  const models = settings.engine.models.map((model) =>
    model.path.startsWith('builtin:') ? model : { ...model, path: resolve(base(['engine', 'models']), model.path) },
  )
  const dataDir = resolve(base(['data_dir']), settings.dataDir)
  const upstreams = settings.upstreams.map((upstream) =>
    upstream.caFile === undefined ? upstream : { ...upstream, caFile: resolve(base(['upstreams']), upstream.caFile) },
  )
  const { file } = settings.prices
  const prices = { ...settings.prices, file: file === undefined ? undefined : resolve(base(['prices', 'file']), file) }
  return { ...settings, dataDir, upstreams, prices, engine: { ...settings.engine, models } }
}

/** Prices are part of what is in effect: a change of their file is a change of the configuration. */
async function withPrices(settings: ConfigSettings): Promise<ConfigSettings> {
  const { file } = settings.prices
  if (file === undefined) return settings
  const read = await readPriceFile(file)
  if (read.kind === 'invalid') throw refusal(read.problems, 'prices.file')
  return { ...settings, prices: { file, rows: read.rows } }
}

/** A price for an upstream under a name that is misspelt, or was changed, prices nothing. */
function pricedNowhere({ prices, upstreams }: ConfigSettings): string[] {
  const keys = new Set(upstreams.map(({ name }) => upstreamKey(name)))
  const unknown = new Set(
    prices.rows.map(({ provider }) => provider).filter((key) => isUpstreamKey(key) && !keys.has(key)),
  )
  return [...unknown].map((key) => `prices.file has prices for the ${key.replace(':', ' ')}, which is not configured`)
}

function refuseIf(problems: readonly string[], blamed: string): void {
  if (problems.length > 0) throw refusal(problems, blamed)
}

function refusal(problems: readonly string[], blamed: string): ConfigError {
  const shown = problems.slice(0, mostProblems).map((problem) => `  ${problem}`)
  const more = problems.length - shown.length
  if (more > 0) shown.push(`  and ${more} more`)
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return new ConfigError(`${blamed} cannot be used, ${count}:\n${shown.join('\n')}`)
}

function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') ? path : short
}
