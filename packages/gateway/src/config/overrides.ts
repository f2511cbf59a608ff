import { basename } from 'node:path'
import type { Environment } from './environment-references.ts'
import type { ConfigPath } from './schema.ts'

/** What the command line can set; `undefined` = not given. */
export interface ConfigFlags {
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly dataDir?: string | undefined
  /** `PATH` or `NAME=PATH`, in order; they replace the models of the file. */
  readonly model?: readonly string[] | undefined
  readonly strictModels?: boolean | undefined
  readonly logLevel?: string | undefined
}

/** A value that wins over the file's. */
export interface Override {
  readonly path: ConfigPath
  readonly value: unknown
  /** What a person typed it into: `--port`, `INCIPIT_PORT`. */
  readonly source: string
}

/**
 * Environment variables first, flags after them: the last one for a path wins.
 * @example overridesOf({ port: '8080' }, process.env)
 */
export function overridesOf(flags: ConfigFlags, env: Environment): Override[] {
  const overrides: Override[] = []
  const add = (source: string, path: ConfigPath, value: unknown): void => {
    if (value !== undefined && value !== '') overrides.push({ source, path, value })
  }
  add('INCIPIT_HOST', ['server', 'host'], env['INCIPIT_HOST'])
  add('INCIPIT_PORT', ['server', 'port'], numeric(env['INCIPIT_PORT']))
  add('INCIPIT_DATA_DIR', ['data_dir'], env['INCIPIT_DATA_DIR'])
  add('INCIPIT_SECRET', ['secret'], env['INCIPIT_SECRET'])
  add('INCIPIT_STRICT_MODELS', ['strict_models'], truth(env['INCIPIT_STRICT_MODELS']))
  add('INCIPIT_LOG_LEVEL', ['log', 'level'], env['INCIPIT_LOG_LEVEL'])
  add('--host', ['server', 'host'], flags.host)
  add('--port', ['server', 'port'], numeric(flags.port))
  add('--data-dir', ['data_dir'], flags.dataDir)
  add('--strict-models', ['strict_models'], flags.strictModels)
  add('--log-level', ['log', 'level'], flags.logLevel)
  if (flags.model !== undefined && flags.model.length > 0) {
    add('--model', ['engine', 'models'], flags.model.map(modelOf))
  }
  return overrides
}

/** Text that looks like a number as one; anything else stays, for the schema to refuse. */
export function numeric(text: string | undefined): number | string | undefined {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

/** `true`, `1`, `false` and `0` as what they mean; anything else stays, for the schema to refuse. */
export function truth(text: string | undefined): boolean | string | undefined {
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : text
}

/** @example modelOf('qwen=/models/qwen.gguf') // { name: 'qwen', path: '/models/qwen.gguf' } */
function modelOf(argument: string): { readonly name: string; readonly path: string } {
  const [, name, path] = /^([^\s=./\\][^\s=]*)=(.+)$/.exec(argument) ?? []
  if (name !== undefined && path !== undefined) return { name, path }
  return { name: basename(argument.replace(/^builtin:/, '')).replace(/\.gguf$/i, ''), path: argument }
}
