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
#                              # beside them: limits, scopes, expires; more keys: incipit keys create
# orgs:
#   - { name: acme, limits: { rpm: 600, tpm: 200000, parallel: 20, usd_per_day: 50 } }

# control_fraction: 0          # part of the sessions that is served as without Incipit, to measure what it saves
# mode: apply                  # apply: optimise prompts for caches | observe | advise: send what the client sent
# inject_stream_usage: true    # ask upstreams for usage in streams, and hide it from clients that did not ask

# upstreams:                   # left out: found by OPENAI_API_KEY, ANTHROPIC_API_KEY, FIREWORKS_API_KEY,
#                              # CLOUDFLARE_API_TOKEN and _ACCOUNT_ID, OPENROUTER_API_KEY; []: none
#   - name: claude
#     kind: anthropic          # openai | anthropic | fireworks | workers-ai | openrouter | openai-compatible
#                              # | anthropic-compatible | vllm | sglang | llama-server
#     api_key: \${ANTHROPIC_API_KEY}
#     models: ["claude-*"]     # globs of the names it serves
#     provider: anthropic      # whose price list applies; left out: that of its kind, or of its address
#     isolation: shared        # native | credential | salt_text | shared; left out: the best its kind can do
#     strip_billing_block: auto      # auto | always | never: the line that Claude Code changes with every request
#   - name: fleet
#     kind: vllm
#     replicas: [http://127.0.0.1:8001, http://127.0.0.1:8002]     # or base_url
#     models: ["llama-*"]
#     model_names: { "llama-3": "meta-llama/Llama-3.3-70B-Instruct" }
#     timeouts: { connect_ms: 10000, first_byte_ms: 600000, idle_ms: 300000 }
#     max_retries: 2

# workflow_cache:
#   enabled: true
#   provider_prefix_optimization:
#     enabled: true            # cache marks, keys and lives that make upstreams keep a prefix

# strict_models: false         # true refuses model names that nothing claims, as a mistyped one: else the first local model answers

# engine:
#   enabled: true
#   threads: auto
#   hot_bytes: auto            # live KV
#   ram_bytes: 2GiB            # blocks kept in RAM
#   disk_bytes: 10GiB          # blocks kept on disk, also over restarts
#   flash_attention: auto      # on: faster cold prompts of large models; off: reuse exact to the bit
#   min_cached_tokens: 16      # below this nothing is reused and 0 is reported
#   max_concurrent: 16
#   max_queued: 256
#   hang_seconds: 120          # an engine process without a sign of life for so long is started again
#   models:                    # the first also serves names that nothing claims
#     - name: demo
#       path: builtin:demo     # random weights: real compute, meaningless text; or the path of a GGUF file
#       aliases: ["@cf/*", "@hf/*", "accounts/fireworks/models/*", "accounts/*/models/*"]
#       instances: 1           # each with a KV cache of its own; sessions are spread over them

# prices:
#   file:                      # a YAML file of what you pay, where that is not the list price

# log:
#   level: info                # fatal | error | warn | info | debug | trace | silent
`
}
