// Every name of OpenTelemetry that leaves this program, in one place: the conventions for GenAI are in development, and
// names move. First the current name (semantic-conventions-genai, main, read 2026-11-25), behind it the one it had up to
// v1.41.0 of semantic-conventions, which many backends still read. What begins with `incipit.` is no convention.

/** A name as it is now and, where it has changed, as it was. */
export interface MovedName {
  readonly now: string
  readonly before?: string
}

export type AttributeKey =
  | 'operation'
  | 'provider'
  | 'requestModel'
  | 'responseId'
  | 'stream'
  | 'conversation'
  | 'firstChunk'
  | 'inputTokens'
  | 'outputTokens'
  | 'readTokens'
  | 'writeTokens'
  | 'modality'
  | 'tokenType'
  | 'errorType'
  | 'serverAddress'
  | 'serverPort'
  | 'method'
  | 'route'
  | 'scheme'
  | 'status'
  | 'requestId'
  | 'dialect'
  | 'upstream'
  | 'replica'
  | 'org'
  | 'prefix'
  | 'verdict'
  | 'cause'
  | 'reuse'
  | 'ttl'
  | 'control'
  | 'edits'
  | 'cost'
  | 'counterfactual'

/** Attributes of spans and metrics. */
export const attributes: Readonly<Record<AttributeKey, MovedName>> = {
  operation: { now: 'gen_ai.operation.name' },
  provider: { now: 'gen_ai.provider.name', before: 'gen_ai.system' },
  requestModel: { now: 'gen_ai.request.model' },
  responseId: { now: 'gen_ai.response.id' },
  stream: { now: 'gen_ai.request.stream' },
  conversation: { now: 'gen_ai.conversation.id' },
  firstChunk: { now: 'gen_ai.response.time_to_first_chunk' },
  inputTokens: { now: 'gen_ai.usage.input_tokens' },
  outputTokens: { now: 'gen_ai.usage.output_tokens' },
  readTokens: { now: 'gen_ai.usage.cache_read.input_tokens' },
  writeTokens: { now: 'gen_ai.usage.cache_write.input_tokens', before: 'gen_ai.usage.cache_creation.input_tokens' },
  modality: { now: 'gen_ai.token.modality' },
  /** Only of the histogram that has gone. */
  tokenType: { now: 'gen_ai.token.type' },
  errorType: { now: 'error.type' },
  serverAddress: { now: 'server.address' },
  serverPort: { now: 'server.port' },
  method: { now: 'http.request.method' },
  route: { now: 'http.route' },
  scheme: { now: 'url.scheme' },
  status: { now: 'http.response.status_code' },
  requestId: { now: 'incipit.request.id' },
  dialect: { now: 'incipit.dialect' },
  upstream: { now: 'incipit.upstream' },
  replica: { now: 'incipit.replica' },
  org: { now: 'incipit.org' },
  prefix: { now: 'incipit.prefix' },
  verdict: { now: 'incipit.cache.verdict' },
  cause: { now: 'incipit.cache.cause' },
  reuse: { now: 'incipit.cache.reuse' },
  ttl: { now: 'incipit.cache.ttl' },
  control: { now: 'incipit.control' },
  edits: { now: 'incipit.edits' },
  cost: { now: 'incipit.cost_usd' },
  counterfactual: { now: 'incipit.counterfactual_usd' },
}

/** A metric, by the kind of its instrument. */
export interface MetricName extends MovedName {
  readonly kind: 'counter' | 'histogram'
  readonly unit: string
  readonly description: string
  /** Bounds of a histogram. */
  readonly buckets?: readonly number[]
}

/** The conventions' bounds of durations; those of first tokens stop at 10 s, where cold prompts of 200,000 tokens begin. */
const seconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const firstToken = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80]
const perToken = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const tokens = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864]

export type MetricKey =
  | 'inputTokens'
  | 'outputTokens'
  | 'readTokens'
  | 'writeTokens'
  | 'inputPerCall'
  | 'outputPerCall'
  | 'duration'
  | 'firstChunk'
  | 'serverDuration'
  | 'serverFirstToken'
  | 'serverPerToken'
  | 'cost'
  | 'counterfactual'

/** Metrics that are sent. */
export const metricNames: Readonly<Record<MetricKey, MetricName>> = {
  inputTokens: counter('gen_ai.client.inference.usage.input_tokens', '{token}', 'Input tokens, cached ones included'),
  outputTokens: counter('gen_ai.client.inference.usage.output_tokens', '{token}', 'Output tokens'),
  readTokens: counter(
    'gen_ai.client.inference.usage.cache_read.input_tokens',
    '{token}',
    'Input tokens read from a prefix cache',
  ),
  writeTokens: counter(
    'gen_ai.client.inference.usage.cache_write.input_tokens',
    '{token}',
    'Input tokens written to a prefix cache',
  ),
  inputPerCall: histogram('gen_ai.client.inference.operation.input_tokens', '{token}', 'Input tokens of one call', {
    buckets: tokens,
  }),
  outputPerCall: histogram('gen_ai.client.inference.operation.output_tokens', '{token}', 'Output tokens of one call', {
    buckets: tokens,
  }),
  duration: histogram('gen_ai.client.inference.duration', 's', 'Duration of one call of a model', {
    before: 'gen_ai.client.operation.duration',
    buckets: seconds,
  }),
  firstChunk: histogram('gen_ai.client.inference.time_to_first_chunk', 's', 'Call of a model to its first content', {
    before: 'gen_ai.client.operation.time_to_first_chunk',
    buckets: firstToken,
  }),
  serverDuration: histogram('gen_ai.server.request.duration', 's', 'Duration of one request to the local engine', {
    buckets: seconds,
  }),
  serverFirstToken: histogram('gen_ai.server.time_to_first_token', 's', 'Request to first token, local engine', {
    buckets: firstToken,
  }),
  serverPerToken: histogram('gen_ai.server.time_per_output_token', 's', 'Time of each token after the first', {
    buckets: perToken,
  }),
  cost: counter('incipit.cost', 'USD', 'What answers and the upkeep of caches cost'),
  counterfactual: counter('incipit.counterfactual', 'USD', 'What the same tokens cost where nothing is cached'),
}

/** The histogram that the counters of usage replaced: only beside them, for backends that know nothing else. */
export const formerTokenUsage: MetricName = histogram(
  'gen_ai.client.token.usage',
  '{token}',
  'Input and output tokens of one call',
  { buckets: tokens },
)

/** How the conventions call providers; who is not here keeps our name. */
export const providers: Readonly<Record<string, string>> = {
  'azure-openai': 'azure.ai.openai',
  bedrock: 'aws.bedrock',
  gemini: 'gcp.gemini',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  vertex: 'gcp.vertex_ai',
  xai: 'x_ai',
  engine: 'incipit',
}

/**
 * Which names are written: the current ones alone, or the former ones beside them.
 * @example readsLatestOnly('http,gen_ai_latest_experimental') // true
 */
export function readsLatestOnly(optIn: string | undefined): boolean {
  return (optIn ?? '')
    .split(',')
    .map((part) => part.trim())
    .includes('gen_ai_latest_experimental')
}

function counter(now: string, unit: string, description: string): MetricName {
  return { kind: 'counter', now, unit, description }
}

function histogram(
  now: string,
  unit: string,
  description: string,
  more: Pick<MetricName, 'before' | 'buckets'>,
): MetricName {
  return { kind: 'histogram', now, unit, description, ...more }
}
