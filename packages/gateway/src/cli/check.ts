import { stringify } from 'yaml'
import { maskSecrets } from '../config/config-hash.ts'
import type { ConfigSettings } from '../config/config.ts'
import { settingsOf } from '../config/keep-fixed.ts'
import { kindTraits } from '../upstreams/kinds.ts'
import { loadCommandConfig } from './load-command-config.ts'
import type { CommandContext, ConfigOptions } from './program.ts'
import { snakeCaseKeys } from './snake-case-keys.ts'

/** `incipit check`: refuses like `serve` would, else prints the configuration in effect, secrets masked. */
export async function runCheck(options: ConfigOptions, context: CommandContext): Promise<void> {
  const config = await loadCommandConfig(options, context)
  const { hash, file, warnings, discovered } = config
  const effective = snakeCaseKeys(inEffect(maskSecrets(settingsOf(config))))
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ valid: true, file: file ?? null, hash, warnings, discovered, config: effective }, null, 2)}\n`,
    )
    return
  }
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  const found = discovered.map(({ name, variables }) => `# upstream ${name} found by ${variables.join(', ')}\n`)
  process.stdout.write(
    `# ${file ?? 'no configuration file: defaults, environment and flags'}\n# hash ${hash}\n${found.join('')}${stringify(effective)}`,
  )
}

/** Who may share a cache is too much to be left to the reader's memory of what each kind does unasked. */
function inEffect(settings: ConfigSettings): unknown {
  const upstreams = settings.upstreams.map((upstream) => ({
    ...upstream,
    isolation: upstream.isolation ?? kindTraits[upstream.kind].defaultIsolation,
  }))
  const keys = settings.keys.map((key) =>
    key.expires === undefined ? key : { ...key, expires: new Date(key.expires).toISOString() },
  )
  return { ...settings, keys, upstreams, prices: { ...settings.prices, rows: [] } }
}
