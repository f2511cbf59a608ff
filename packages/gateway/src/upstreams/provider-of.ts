import type { UpstreamKind, UpstreamSettings } from '../config/upstream-settings.ts'

/** Kinds that speak for whoever runs them: whose price list applies, only the address or the configuration says. */
const anyone: ReadonlySet<UpstreamKind> = new Set<UpstreamKind>(['openai-compatible', 'anthropic-compatible'])

/** Hosts of the providers' own addresses; a name also stands for every host below it. */
const hosts: readonly (readonly [host: string, provider: string])[] = [
  ['api.openai.com', 'openai'],
  ['api.anthropic.com', 'anthropic'],
  ['api.fireworks.ai', 'fireworks'],
  ['openrouter.ai', 'openrouter'],
  ['api.deepseek.com', 'deepseek'],
  ['api.x.ai', 'xai'],
  ['api.groq.com', 'groq'],
  ['api.mistral.ai', 'mistral'],
  ['api.moonshot.ai', 'moonshot'],
  ['api.moonshot.cn', 'moonshot'],
  ['api.together.xyz', 'together'],
  ['api.together.ai', 'together'],
  ['api.z.ai', 'zai'],
  ['open.bigmodel.cn', 'zai'],
  ['aliyuncs.com', 'alibaba'],
  ['api.minimax.io', 'minimax'],
  ['api.minimaxi.com', 'minimax'],
  ['generativelanguage.googleapis.com', 'gemini'],
  ['openai.azure.com', 'azure-openai'],
  ['services.ai.azure.com', 'azure-openai'],
  ['cognitiveservices.azure.com', 'azure-openai'],
  ['amazonaws.com', 'bedrock'],
]

/**
 * Whose price list applies to an upstream: what its configuration says, else its kind, else its address. `undefined`
 * where nobody knows; it has a price then only where the operator gives one to the upstream by its name.
 *
 * @example providerOf(settings, ['https://api.deepseek.com']) // 'deepseek'
 */
export function providerOf(
  { provider, kind }: Pick<UpstreamSettings, 'provider' | 'kind'>,
  addresses: readonly string[],
): string | undefined {
  if (provider !== undefined) return provider
  if (!anyone.has(kind)) return kind
  const found = new Set(addresses.map(ownerOf))
  const [only] = found
  return found.size === 1 ? only : undefined
}

function ownerOf(address: string): string | undefined {
  const name = new URL(address).hostname.toLowerCase()
  return hosts.find(([host]) => name === host || name.endsWith(`.${host}`))?.[1]
}
