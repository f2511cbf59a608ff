import type { LoadedConfig } from '../config/load-config.ts'
import { loadConfig } from '../config/load-config.ts'
import type { CommandContext, ConfigOptions } from './program.ts'

/**
 * The configuration a command works with: its flags over environment, file and defaults. `file` is one
 * that was read before, and has to be there still.
 */
export function loadCommandConfig(
  options: ConfigOptions,
  { env, cwd }: CommandContext,
  file?: string,
): Promise<LoadedConfig> {
  const { config, json: _, ...flags } = options
  return loadConfig({ file: file ?? config ?? env['INCIPIT_CONFIG'], flags, env, cwd })
}
