import { z } from 'zod'
import type { ConfigSettings } from './config.ts'
import { instant, limitsSchema, scopesSchema } from './limits-schema.ts'
import { byteSize, byteSizeOr, bytesAllowed, flag, mapping, text, whole } from './schema-parts.ts'
import { upstreamSchema } from './upstream-schema.ts'

export type { Config, ConfigSettings } from './config.ts'

/** One thing wrong with a configuration, in terms of the file's own names. */
export type ConfigIssue =
  | { readonly kind: 'unknown-keys'; readonly path: ConfigPath; readonly keys: readonly string[] }
  | { readonly kind: 'not-allowed'; readonly path: ConfigPath; readonly allowed: string }

/** Keys and indexes from the root of the file. */
export type ConfigPath = readonly (string | number)[]

export type ParsedConfig =
  | { readonly kind: 'valid'; readonly settings: ConfigSettings }
  | { readonly kind: 'invalid'; readonly issues: readonly ConfigIssue[] }

/**
 * Checks the parsed YAML and fills in the defaults.
 * @example parseConfig({ server: { port: 4141 } })
 */
export function parseConfig(raw: unknown): ParsedConfig {
  const parsed = fileSchema.safeParse(raw)
  if (parsed.success) return { kind: 'valid', settings: toSettings(parsed.data) }
  return { kind: 'invalid', issues: parsed.error.issues.map(toIssue) }
}

/** A JSON schema object as far as the configuration needs it. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly [keyword: string]: unknown
}

/** The published JSON schema of `incipit.yaml`, for editors. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-7' })
  return { ...schema, title: 'incipit.yaml' } as JsonSchema // zod's type has no index signature
}

const server = mapping({
  host: text('a host name or address')
    .default('127.0.0.1')
    .describe('Address to listen on; anything but loopback requires keys.'),
  port: whole(0, 65_535).default(4141).describe('TCP port; 0 = any free one.'),
  max_body_bytes: byteSize.default(32 * 2 ** 20).describe('Largest request body.'),
  max_header_bytes: byteSize.default(32 * 2 ** 10).describe('Largest request head.'),
  max_connections: whole(1, 1_000_000).default(10_000).describe('Connections open at the same time.'),
  request_timeout_seconds: whole(1, 3600).default(60).describe('Seconds a client may take to send a whole request.'),
  shutdown_seconds: whole(0, 3600).default(60).describe('Seconds answers may still take after a shutdown began.'),
  drain_seconds: whole(0, 600).default(0).describe('Seconds readiness fails before the listener closes.'),
})

const key = mapping({
  key: text('the key, a text').describe('The key itself; better as ${NAME} than written here.'),
  org: text('the name of an organisation', 200).describe('Caches are shared inside an organisation, never across.'),
  name: text('a name for the key', 200).describe('What ledger and messages call the key.'),
  role: z.enum(['member', 'admin'], 'member or admin').default('member').describe('An admin sees all organisations.'),
  limits: limitsSchema.optional().describe('What the key may use.'),
  scopes: scopesSchema.optional().describe('What the key may be used for.'),
  expires: instant.optional().describe('When the key ends, such as 2027-01-31 or 2027-01-31T12:00:00Z.'),
})

const org = mapping({
  name: text('the name of an organisation', 200).describe('As keys name it; local on a gateway without keys.'),
  limits: limitsSchema.describe('What all keys of the organisation may use together.'),
})

const model = mapping({
  name: z
    .string('a name without spaces')
    .regex(/^\S{1,200}$/, 'a name without spaces')
    .describe('What requests call the model.'),
  path: text('the path of a GGUF file, or builtin:demo').describe(
    'A GGUF file, relative to this file, or builtin:demo.',
  ),
  aliases: z
    .array(text('a name or glob', 200), 'a list of names or globs')
    .default([])
    .describe('Globs of further names it answers to; * matches any characters.'),
  context_tokens: whole(64, 16_777_216, ' of tokens').optional().describe('Context length in tokens.'),
  rules: z
    .enum(['native', 'anthropic', 'openai'], 'native, anthropic or openai')
    .default('native')
    .describe('Whose cache rules usage is counted by: what was reused, or as that provider would.'),
  instances: whole(1, 16).default(1).describe('Instances, each with a KV cache of its own.'),
})

const demo = {
  name: 'demo',
  path: 'builtin:demo',
  aliases: ['@cf/*', '@hf/*', 'accounts/fireworks/models/*', 'accounts/*/models/*'],
}

const automatic = z.literal('auto')

const threadsAllowed = 'auto, or a whole number from 1 to 1024'

const engine = mapping({
  enabled: flag.default(true).describe('Serve local models.'),
  threads: z
    .union([automatic, z.int(threadsAllowed).min(1, threadsAllowed).max(1024, threadsAllowed)], threadsAllowed)
    .default('auto')
    .describe('Threads for prefill and decode.'),
  flash_attention: z
    .enum(['auto', 'on', 'off'], 'auto, on or off')
    .default('auto')
    .describe(
      'off: cached and cold prompts give the same bits. on: long cold prompts are faster. auto: off for tiny models.',
    ),
  hot_bytes: z
    .union([automatic, byteSizeOr(`auto, or ${bytesAllowed}`)], `auto, or ${bytesAllowed}`)
    .default('auto')
    .describe('Live KV over all models.'),
  ram_bytes: byteSize.default(2 * 2 ** 30).describe('Blocks kept in RAM over all models; 0 = none.'),
  disk_bytes: byteSize
    .default(10 * 2 ** 30)
    .describe('Blocks kept in data_dir/kv over all models, which survive restarts; 0 = none. Needs ram_bytes.'),
  min_cached_tokens: whole(1, 1_000_000, ' of tokens')
    .default(16)
    .describe('Below this many shared tokens nothing is reused.'),
  max_concurrent: whole(1, 200).default(16).describe('Requests generating at the same time.'),
  max_queued: whole(0, 100_000).default(256).describe('Requests waiting for a place; one more is refused.'),
  hang_seconds: whole(1, 86_400)
    .default(120)
    .describe('An engine process that gives no sign of life for so long is ended and started again.'),
  models: z
    .array(model, 'a list of models')
    .prefault([demo])
    .describe('The first one also serves names that nothing claims, unless strict_models.'),
})

const workflowCache = mapping({
  enabled: flag.default(true).describe('Optimise prompts for caches at all.'),
  provider_prefix_optimization: mapping({
    enabled: flag.default(true).describe('Set cache marks, keys and lives that make upstreams keep a prefix.'),
  })
    .prefault({})
    .describe('What is done for the prefix caches of upstreams.'),
})

const prices = mapping({
  file: text('the path of a YAML file')
    .optional()
    .describe('Your prices, which go before those Incipit knows; relative to this file, read again when it changes.'),
})

const fractionAllowed = 'a number from 0 to 1'

const storeAllowed = 'null (SQLite in data_dir), or a URL that begins with postgres://'

const daysAllowed = 'null, or a whole number of days from 1 to 36500'
const days = z
  .union([z.null(), z.int(daysAllowed).min(1, daysAllowed).max(36_500, daysAllowed)], daysAllowed)
  .default(null)

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const fileSchema = mapping({
  server: server.prefault({}).describe('Where and how the gateway listens.'),
  data_dir: text('the path of a folder')
    .default('.incipit')
    .describe('Ledger, secret and built-in model; relative to this file.'),
  secret: z
    .string('a text of at least 16 characters')
    .min(16, 'a text of at least 16 characters')
    .optional()
    .describe('Keys the hashes of scopes and sessions; left out: created once in data_dir/secret.'),
  keys: z.array(key, 'a list of keys').default([]).describe('None = open, on loopback only.'),
  orgs: z.array(org, 'a list of organisations').default([]).describe('Limits of organisations.'),
  strict_models: flag.default(false).describe('Refuse model names that nothing claims.'),
  mode: z
    .enum(['observe', 'advise', 'apply'], 'observe, advise or apply')
    .default('apply')
    .describe('apply: optimise what is sent. observe, advise: send what the client sent.'),
  inject_stream_usage: flag
    .default(true)
    .describe('Ask upstreams for usage in streams, and hide it from clients that did not ask.'),
  upstreams: z
    .array(upstreamSchema, 'a list of upstreams')
    .default([])
    .describe('Endpoints to send requests to. Left out: found from variables such as OPENAI_API_KEY; []: none.'),
  workflow_cache: workflowCache.prefault({}).describe('What is done for caches.'),
  control_fraction: z
    .number(fractionAllowed)
    .min(0, fractionAllowed)
    .max(1, fractionAllowed)
    .default(0)
    .describe('Part of the sessions that is served as without Incipit, to measure what it saves.'),
  engine: engine.prefault({}).describe('The local engine.'),
  prices: prices.prefault({}).describe('What models cost.'),
  store: mapping({
    url: z
      .union([z.null(), z.string(storeAllowed).regex(/^postgres(?:ql)?:\/\/./, storeAllowed)], storeAllowed)
      .default(null)
      .describe('null = SQLite in data_dir; or postgres://user:password@host/database.'),
  })
    .prefault({})
    .describe('Where the ledger lives.'),
  telemetry: mapping({
    org_label: flag.default(false).describe('Metrics and spans name the organisation.'),
    vllm_names: flag.default(false).describe('Metrics of local models also under the names that vLLM gives them.'),
  })
    .prefault({})
    .describe('Metrics at GET /metrics; OpenTelemetry is set up by its own OTEL_ variables.'),
  retention: mapping({
    events_days: days.describe('Days after which single events are deleted; summaries keep their sums. null = never.'),
    summaries_days: days.describe('Days after which sums are deleted as well; at least events_days. null = never.'),
  })
    .prefault({})
    .describe('How long the ledger keeps what it has.'),
  log: mapping({ level: z.enum(levels, levels.join(', ')).default('info') })
    .prefault({})
    .describe('Logging.'),
})

function toSettings(file: z.infer<typeof fileSchema>): ConfigSettings {
  const { server, engine } = file
  return {
    server: {
      host: server.host,
      port: server.port,
      maxBodyBytes: server.max_body_bytes,
      maxHeaderBytes: server.max_header_bytes,
      maxConnections: server.max_connections,
      requestTimeoutSeconds: server.request_timeout_seconds,
      shutdownSeconds: server.shutdown_seconds,
      drainSeconds: server.drain_seconds,
    },
    dataDir: file.data_dir,
    secret: file.secret,
    keys: file.keys,
    orgs: file.orgs,
    strictModels: file.strict_models,
    mode: file.mode,
    injectStreamUsage: file.inject_stream_usage,
    upstreams: file.upstreams,
    controlFraction: file.control_fraction,
    workflowCache: {
      enabled: file.workflow_cache.enabled,
      providerPrefixOptimization: { enabled: file.workflow_cache.provider_prefix_optimization.enabled },
    },
    engine: {
      enabled: engine.enabled,
      threads: engine.threads,
      hotBytes: engine.hot_bytes,
      ramBytes: engine.ram_bytes,
      diskBytes: engine.disk_bytes,
      flashAttention: engine.flash_attention,
      minCachedTokens: engine.min_cached_tokens,
      maxConcurrent: engine.max_concurrent,
      maxQueued: engine.max_queued,
      hangSeconds: engine.hang_seconds,
      models: engine.models.map(({ name, path, aliases, context_tokens: contextTokens, rules, instances }) => ({
        name,
        path,
        aliases,
        contextTokens,
        rules,
        instances,
      })),
    },
    prices: { file: file.prices.file, rows: [] },
    store: file.store,
    retention: { eventsDays: file.retention.events_days, summariesDays: file.retention.summaries_days },
    log: file.log,
    telemetry: { orgLabel: file.telemetry.org_label, vllmNames: file.telemetry.vllm_names },
  }
}

/** What zod found, in the terms of `describeIssues`. */
export function toIssue(issue: z.core.$ZodIssue): ConfigIssue {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code === 'unrecognized_keys') return { kind: 'unknown-keys', path, keys: issue.keys }
  return { kind: 'not-allowed', path, allowed: issue.message }
}
