import { writeFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '../config/config-error.ts'
import type { CommandContext } from './program.ts'

/** `incipit init`: writes a commented configuration that changes nothing yet; never over an existing one unasked. */
export async function runInit(
  options: { readonly config: string; readonly force?: boolean },
  context: CommandContext,
): Promise<void> {
  const file = resolve(context.cwd, options.config)
  const schema = relative(
    resolve(file, '..'),
    fileURLToPath(new URL('../../schema/incipit.schema.json', import.meta.url)),
  )
  try {
    await writeFile(file, starterConfig(schema.replaceAll('\\', '/')), { flag: options.force === true ? 'w' : 'wx' })
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST' // fs rejects with these only
    if (exists) throw new ConfigError(`${options.config} is already there; --force replaces it`, { cause })
    throw cause
  }
  process.stdout.write(`${options.config} written; "incipit check" prints what is in effect\n`)
}

/** @example starterConfig('node_modules/incipit/schema/incipit.schema.json') */
export function starterConfig(schema: string): string {
  return `# yaml-language-server: $schema=${schema}
#
# Everything here shows its default; remove a "#" to change it. \${NAME} is read from the environment.

# server:
#   host: 127.0.0.1            # anything but loopback requires keys
#   port: 4141
#   max_body_bytes: 32MiB
#   shutdown_seconds: 60       # how long answers may still take after SIGTERM

# data_dir: .incipit           # ledger, secret, built-in model
# secret: \${INCIPIT_SECRET}    # left out: created once in data_dir/secret; gateways of one fleet share it

# keys:                        # none = open, on loopback only
#   - { key: "\${INCIPIT_KEY}", org: acme, name: web, role: member }     # role: member | admin

# strict_models: false         # true refuses model names that nothing claims

# engine:
#   enabled: true
#   threads: auto
#   hot_bytes: auto            # live KV
#   ram_bytes: 2GiB            # blocks kept in RAM
#   flash_attention: auto      # on: faster cold prompts of large models; off: reuse exact to the bit
#   min_cached_tokens: 16      # below this nothing is reused and 0 is reported
#   max_concurrent: 16
#   max_queued: 256
#   models:                    # the first also serves names that nothing claims
#     - name: demo
#       path: builtin:demo     # random weights: real compute, meaningless text; or the path of a GGUF file
#       aliases: ["@cf/*", "@hf/*", "accounts/fireworks/models/*", "accounts/*/models/*"]
#       instances: 1           # each with a KV cache of its own; sessions are spread over them

# log:
#   level: info                # fatal | error | warn | info | debug | trace | silent
`
}
