import { z } from 'zod'
import { byteSize, flag, mapping, text, whole } from './schema-parts.ts'
import type { UpstreamSettings } from './upstream-settings.ts'

const kinds = [
  'openai',
  'anthropic',
  'fireworks',
  'workers-ai',
  'openrouter',
  'openai-compatible',
  'anthropic-compatible',
  'vllm',
  'sglang',
  'llama-server',
] as const
const dialects = ['openai-chat', 'openai-responses', 'anthropic-messages', 'workers-ai'] as const
const isolations = ['native', 'credential', 'salt_text', 'shared'] as const

const nameAllowed = '1 to 64 of a-z, 0-9, ".", "_" and "-", but not "engine", the name of the local one'
const providerAllowed = 'the name of a provider: a-z, 0-9, ".", "_" and "-"'
const urlAllowed = 'an http:// or https:// URL without "?" and "#"'
const proxyAllowed = 'an http:// or https:// URL of a proxy, such as http://user:password@host:3128'
const headerAllowed = 'the name of a header'
const keyAllowed = 'the key, a text without spaces'

const url = (allowed: string): z.ZodString =>
  z
    .string(allowed)
    .max(2048, allowed)
    .regex(/^https?:\/\/[^\s?#\\]+$/, allowed)
    .refine((value) => URL.canParse(value), allowed)

// A key travels in a header: spaces and line ends would end or split it.
const secret = z.string(keyAllowed).regex(/^[!-~]{1,4096}$/, keyAllowed)

const timeouts = mapping({
  connect_ms: whole(1, 600_000, ' of milliseconds').default(10_000).describe('Until a connection stands.'),
  first_byte_ms: whole(1, 86_400_000, ' of milliseconds').default(600_000).describe('Until an answer begins.'),
  idle_ms: whole(1, 86_400_000, ' of milliseconds').default(300_000).describe('Between two pieces of an answer.'),
})

const entry = mapping({
  name: z
    .string(nameAllowed)
    .regex(/^(?!engine$)[a-z0-9._-]{1,64}$/, nameAllowed)
    .describe('What records, headers and messages call it.'),
  kind: z.enum(kinds, kinds.join(', ')).describe('What it speaks, and how its caches are controlled.'),
  provider: z
    .string(providerAllowed)
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, providerAllowed)
    .optional()
    .describe('Whose price list applies, such as deepseek; left out: that of its kind, or of its address.'),
  base_url: url(urlAllowed).optional().describe('Its address; hosted kinds have one by default.'),
  replicas: z
    .array(url(urlAllowed), 'a list of URLs')
    .min(1, 'a list of at least one URL')
    .optional()
    .describe('Equal instances with a cache each, instead of base_url; sessions are spread over them.'),
  account_id: z
    .string('an account id: letters, digits, "_" and "-"')
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'an account id: letters, digits, "_" and "-"')
    .optional()
    .describe('The Cloudflare account, for workers-ai.'),
  api_key: secret.optional().describe('Its key; better as ${NAME} than written here.'),
  api_keys: z
    .array(secret, 'a list of keys')
    .min(1, 'a list of at least one key')
    .optional()
    .describe('Several keys of one account, instead of api_key.'),
  org_keys: z
    .record(z.string(), secret, 'a mapping of organisations to keys')
    .default({})
    .describe('Own key by organisation; wins over api_key.'),
  credentials: z
    .enum(['configured', 'client'], 'configured or client')
    .default('configured')
    .describe("client: the caller's own credential is passed on."),
  models: z
    .array(text('a name or glob', 256), 'a list of names or globs')
    .min(1, 'a list of at least one name or glob')
    .default(['*'])
    .describe('Globs of the model names it serves; * matches any characters.'),
  model_names: z
    .record(z.string(), text('the name of a model', 256), 'a mapping of model names')
    .default({})
    .describe('What it calls a model that clients call otherwise.'),
  speaks: z
    .array(z.enum(dialects, dialects.join(', ')), 'a list of dialects')
    .min(1, 'a list of at least one dialect')
    .optional()
    .describe('Dialects it takes, where they are not those of its kind.'),
  isolation: z
    .enum(isolations, isolations.join(', '))
    .optional()
    .describe('How organisations are kept apart in its caches; left out: the best its kind can do.'),
  affinity_header: z
    .string(headerAllowed)
    .regex(/^[A-Za-z0-9-]{1,100}$/, headerAllowed)
    .optional()
    .describe('A header that carries the keyed session id to it.'),
  strip_billing_block: z
    .enum(['auto', 'always', 'never'], 'auto, always or never')
    .default('auto')
    .describe("Leave out Claude Code's first system block, which changes and spoils prefixes elsewhere."),
  headers: z
    .record(
      z.string(),
      z.string('a text').regex(/^[\t -~]{0,8192}$/, 'a text without line ends'),
      'a mapping of headers',
    )
    .default({})
    .describe('Further headers of every request to it.'),
  trace_context: flag.default(false).describe('Continue OpenTelemetry traces there: traceparent is then ours.'),
  timeouts: timeouts.prefault({}).describe('How long it may take.'),
  max_retries: whole(0, 10).default(2).describe('Attempts after the first that failed before an answer began.'),
  max_answer_bytes: byteSize.default(256 * 2 ** 20).describe('Largest answer.'),
  max_connections: whole(1, 65_536).default(512).describe('Connections to each of its origins.'),
  proxy: url(proxyAllowed).optional().describe('Left out: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment.'),
  ca_file: text('the path of a PEM file')
    .optional()
    .describe('Certificates to trust besides the usual; relative to this file.'),
})

/** One entry of `upstreams`: takes the names of the file, gives the settings. */
export const upstreamSchema: z.ZodType<UpstreamSettings> = entry.transform(toSettings)

function toSettings(file: z.infer<typeof entry>): UpstreamSettings {
  return {
    name: file.name,
    kind: file.kind,
    provider: file.provider,
    baseUrl: file.base_url === undefined ? undefined : withoutSlash(file.base_url),
    replicas: (file.replicas ?? []).map(withoutSlash),
    accountId: file.account_id,
    apiKey: file.api_key,
    apiKeys: file.api_keys ?? [],
    orgKeys: file.org_keys,
    credentials: file.credentials,
    models: file.models,
    modelNames: file.model_names,
    speaks: file.speaks,
    isolation: file.isolation,
    affinityHeader: file.affinity_header?.toLowerCase(),
    stripBillingBlock: file.strip_billing_block,
    headers: Object.fromEntries(Object.entries(file.headers).map(([name, value]) => [name.toLowerCase(), value])),
    traceContext: file.trace_context,
    timeouts: {
      connectMs: file.timeouts.connect_ms,
      firstByteMs: file.timeouts.first_byte_ms,
      idleMs: file.timeouts.idle_ms,
    },
    maxRetries: file.max_retries,
    maxAnswerBytes: file.max_answer_bytes,
    maxConnections: file.max_connections,
    proxy: file.proxy,
    caFile: file.ca_file,
  }
}

function withoutSlash(address: string): string {
  return address.replace(/\/+$/, '')
}
