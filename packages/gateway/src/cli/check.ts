import { stringify } from 'yaml'
import { maskSecrets } from '../config/config-hash.ts'
import { loadCommandConfig } from './load-command-config.ts'
import type { CommandContext, ConfigOptions } from './program.ts'
import { snakeCaseKeys } from './snake-case-keys.ts'

/** `incipit check`: refuses like `serve` would, else prints the configuration in effect, secrets masked. */
export async function runCheck(options: ConfigOptions, context: CommandContext): Promise<void> {
  const config = await loadCommandConfig(options, context)
  const { generation: _, hash, file, warnings, ...settings } = maskSecrets(config)
  const effective = snakeCaseKeys(settings)
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ valid: true, file: file ?? null, hash, warnings, config: effective }, null, 2)}\n`,
    )
    return
  }
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  process.stdout.write(
    `# ${file ?? 'no configuration file: defaults, environment and flags'}\n# hash ${hash}\n${stringify(effective)}`,
  )
}
