import pc from 'picocolors'
import { version } from './version.ts'

/** What the banner tells about. */
export interface BannerInput {
  readonly url: string
  /** Absolute path of the data directory. */
  readonly dataDir: string
  /** The models really served. */
  readonly models: readonly BannerModel[]
  /** In the order in which they are asked for. */
  readonly upstreams: readonly BannerUpstream[]
  readonly strictModels: boolean
  readonly keysRequired: boolean
  /** Why there is no engine; `undefined` where there is one. */
  readonly engineMissing: string | undefined
  /** Callers may move the time of this gateway. */
  readonly testClock: boolean
  readonly colours: boolean
}

export interface BannerModel {
  readonly name: string
  readonly aliases: readonly string[]
  /** Its weights are random. */
  readonly synthetic: boolean
}

export interface BannerUpstream {
  readonly name: string
  readonly kind: string
  /** Globs of the names it serves. */
  readonly models: readonly string[]
  /** Variables it was found by; none = the configuration names it. */
  readonly variables: readonly string[]
}

// Longer than `min_cached_tokens` in any vocabulary, so that the second call is warm.
const tryMessages = [
  { role: 'system', content: 'You are a careful librarian. Answer briefly, name your sources and never guess.' },
  { role: 'user', content: 'What is an incipit, and which is the oldest one known?' },
]

/**
 * What `incipit serve` prints once it is ready: lines to paste.
 * @example renderBanner({ url: 'http://127.0.0.1:4141', ...input })
 */
export function renderBanner(input: BannerInput): string {
  const { bold, cyan, dim, yellow } = pc.createColors(input.colours)
  const url = reachable(input.url)
  const key = input.keysRequired ? 'YOUR_KEY' : 'unused'
  const line = (label: string, text: string): string => `  ${dim(label.padEnd(13))} ${text}`
  const more = (text: string): string => line('', text)
  const lines = [
    `${bold(`incipit ${version}`)} is ready at ${cyan(url)}`,
    '',
    line('OpenAI SDK', `export OPENAI_BASE_URL=${url}/v1`),
    more(`export OPENAI_API_KEY=${key}`),
    line('Anthropic SDK', `export ANTHROPIC_BASE_URL=${url}`),
    more(`export ANTHROPIC_API_KEY=${key}`),
    line('Claude Code', `ANTHROPIC_BASE_URL=${url} ANTHROPIC_AUTH_TOKEN=${key} claude`),
    line('Codex', dim('# ~/.codex/config.toml')),
    ...codexLines(url).map(more),
    line('Workers AI', `${url}/client/v4/accounts/{account_id}/ai`),
    line('Fireworks', `${url}/inference/v1`),
    line('Console', `${url}/`),
    ...upstreamLines(input).map((text, index) => line(index === 0 ? 'Upstreams' : '', text)),
    line('Models', modelsLine(input)),
    line('Data', input.dataDir),
    '',
    line('Try', `curl ${url}/v1/chat/completions -H 'content-type: application/json' \\`),
    ...(input.keysRequired ? [more(`  -H 'authorization: Bearer ${key}' \\`)] : []),
    more(`  -d '${tryBody(input)}'`),
    more('send it twice: the second reports cached tokens'),
    '',
    ...notes(input).map((note) => `  ${yellow('note')} ${note}`),
  ]
  return `${lines.join('\n')}\n`
}

/** The key is the one of the OpenAI SDK's lines. */
function codexLines(url: string): string[] {
  return [
    'model_provider = "incipit"',
    '[model_providers.incipit]',
    'name = "Incipit"',
    `base_url = "${url}/v1"`,
    'env_key = "OPENAI_API_KEY"',
    'wire_api = "responses"',
  ]
}

function upstreamLines({ upstreams }: BannerInput): string[] {
  if (upstreams.length === 0) return ['none: name them in incipit.yaml, or set OPENAI_API_KEY, ANTHROPIC_API_KEY, ...']
  return upstreams.map(({ name, kind, models, variables }) => {
    const what = name === kind ? name : `${name} (${kind})`
    const found = variables.length === 0 ? '' : `; found by ${variables.join(', ')}`
    return `${what}: ${models.join(', ')}${found}`
  })
}

function modelsLine({ models, strictModels, engineMissing }: BannerInput): string {
  if (models.length === 0) return `none: ${engineMissing ?? 'no model is configured'}`
  const names = models.map(({ name, aliases }) =>
    aliases.length === 0 ? name : `${name} (also ${aliases.join(', ')})`,
  )
  return `${names.join('; ')}${strictModels ? '' : `; any other name goes to ${models[0]?.name}`}`
}

function tryBody({ models }: BannerInput): string {
  return JSON.stringify({ model: models[0]?.name ?? 'MODEL', messages: tryMessages, max_tokens: 8 })
}

function notes({ models, testClock }: BannerInput): string[] {
  const random = models.filter(({ synthetic }) => synthetic).map(({ name }) => name)
  return [
    ...(random.length === 0
      ? []
      : [`Random weights: ${random.join(', ')}. Computing and caching are real, the text is meaningless.`]),
    ...(testClock ? ['The test clock is on: POST /admin/clock moves the time of this gateway.'] : []),
  ]
}

/** An address that listens everywhere is no address to call. */
function reachable(url: string): string {
  return url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]')
}
