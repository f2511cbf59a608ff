import { isIPv4 } from 'node:net'
import type { Environment } from './environment-references.ts'

/** An upstream found in the environment, as the file would name it. */
export interface DiscoveredUpstream {
  readonly name: string
  readonly kind: string
  readonly api_key: string
  readonly models: readonly string[]
  readonly base_url?: string
  readonly account_id?: string
}

/** What the environment offers. */
export interface Discovery {
  /** The one that takes the widest names last. */
  readonly upstreams: readonly DiscoveredUpstream[]
  /** Where each came from: names of variables, never what they hold. */
  readonly sources: readonly DiscoverySource[]
  /** What was passed over, and why. */
  readonly skipped: readonly string[]
}

export interface DiscoverySource {
  readonly name: string
  readonly kind: string
  readonly variables: readonly string[]
}

/** What tells an address or a key of this gateway from one of an upstream. */
export interface OwnAddress {
  readonly host: string
  readonly port: number
  readonly keys: readonly string[]
}

/**
 * Upstreams whose usual variables are set. Each takes only names that are its own, so that no request
 * for a local model goes to a paid service because a key lay around.
 *
 * @example discoverUpstreams({ ANTHROPIC_API_KEY: 'key' }).upstreams[0]?.models // ['claude-*']
 */
export function discoverUpstreams(env: Environment, own: OwnAddress = nowhere): Discovery {
  const upstreams: DiscoveredUpstream[] = []
  const sources: DiscoverySource[] = []
  const skipped: string[] = []
  const add = (upstream: DiscoveredUpstream, variables: readonly string[]): void => {
    upstreams.push(upstream)
    sources.push({ name: upstream.name, kind: upstream.kind, variables })
  }
  for (const provider of providers) {
    const key = usableKey(provider.key, env, { own, skipped })
    if (key === undefined) continue
    const { name, kind, models } = provider
    const extra = provider.extra(env, own)
    if (extra.kind === 'skipped') skipped.push(extra.why)
    else
      add({ name, kind: extra.as ?? kind, api_key: key, models, ...extra.fields }, [provider.key, ...extra.variables])
  }
  return { upstreams, sources, skipped }
}

const nowhere: OwnAddress = { host: '127.0.0.1', port: 4141, keys: [] }

/** What a provider's other variables add to its key. */
type Extra =
  | {
      readonly kind: 'fields'
      readonly fields: { readonly base_url?: string; readonly account_id?: string }
      readonly variables: readonly string[]
      /** Another kind than the provider's own. */
      readonly as?: string
    }
  | { readonly kind: 'skipped'; readonly why: string }

interface Provider {
  readonly name: string
  readonly kind: string
  readonly key: string
  readonly models: readonly string[]
  readonly extra: (env: Environment, own: OwnAddress) => Extra
}

const plain: Extra = { kind: 'fields', fields: {}, variables: [] }

const providers: readonly Provider[] = [
  {
    name: 'openai',
    kind: 'openai',
    key: 'OPENAI_API_KEY',
    models: ['gpt-*', 'o1*', 'o3*', 'o4*', 'chatgpt-*', 'codex-*', 'text-embedding-*'],
    extra: (env, own) =>
      elsewhere({ env, own, variable: 'OPENAI_BASE_URL', domain: 'api.openai.com', as: 'openai-compatible' }),
  },
  {
    name: 'anthropic',
    kind: 'anthropic',
    key: 'ANTHROPIC_API_KEY',
    models: ['claude-*'],
    extra: (env, own) =>
      elsewhere({ env, own, variable: 'ANTHROPIC_BASE_URL', domain: 'api.anthropic.com', as: 'anthropic-compatible' }),
  },
  {
    name: 'fireworks',
    kind: 'fireworks',
    key: 'FIREWORKS_API_KEY',
    models: ['accounts/fireworks/*'],
    extra: () => plain,
  },
  {
    name: 'workers-ai',
    kind: 'workers-ai',
    key: 'CLOUDFLARE_API_TOKEN',
    models: ['@cf/*', '@hf/*'],
    extra: (env) => {
      const account = env['CLOUDFLARE_ACCOUNT_ID'] ?? ''
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(account)) {
        return { kind: 'skipped', why: 'CLOUDFLARE_API_TOKEN is not used: CLOUDFLARE_ACCOUNT_ID holds no account id' }
      }
      return { kind: 'fields', fields: { account_id: account }, variables: ['CLOUDFLARE_ACCOUNT_ID'] }
    },
  },
  // Names of every vendor look alike there: whoever has a key of the vendor's own is asked first.
  { name: 'openrouter', kind: 'openrouter', key: 'OPENROUTER_API_KEY', models: ['*/*'], extra: () => plain },
]

/** Keys that the banner tells clients of this gateway to set. */
const placeholders: ReadonlySet<string> = new Set(['unused', 'YOUR_KEY'])

function usableKey(
  variable: string,
  env: Environment,
  { own, skipped }: { readonly own: OwnAddress; readonly skipped: string[] },
): string | undefined {
  const key = env[variable]?.trim() ?? ''
  if (key === '') return undefined
  const isOurs = placeholders.has(key) || own.keys.includes(key)
  if (!isOurs && /^[!-~]{1,4096}$/.test(key)) return key
  skipped.push(
    `${variable} is not used: it holds ${isOurs ? 'a key of this gateway' : 'no key, but a text with spaces'}`,
  )
  return undefined
}

/** A key belongs to where its base URL points: it is never sent anywhere else, except when that is this gateway. */
function elsewhere(input: {
  readonly env: Environment
  readonly own: OwnAddress
  readonly variable: string
  readonly domain: string
  readonly as: string
}): Extra {
  const { env, own, variable, domain, as } = input
  const address = env[variable]?.trim() ?? ''
  if (address === '') return plain
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:\/\/[^\s?#\\]+$/.test(address)) {
    return { kind: 'skipped', why: `${variable} is not used, nor is its key: it is no http:// or https:// URL` }
  }
  if (isOwn(url, own)) return plain
  const fields = { base_url: address }
  const official = url.hostname === domain || url.hostname.endsWith(`.${domain}`)
  return { kind: 'fields', fields, variables: [variable], ...(official ? {} : { as }) }
}

function isOwn(url: URL, { host, port }: OwnAddress): boolean {
  const seen = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const thisMachine = name === 'localhost' || name.endsWith('.localhost') || name === '::1' || name === '0.0.0.0'
  return seen === port && (thisMachine || name === host || (isIPv4(name) && name.startsWith('127.')))
}
