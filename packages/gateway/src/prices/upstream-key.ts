const start = 'upstream:'

/**
 * Prices for an upstream are kept beside those for providers, under a name that no provider has.
 * @example upstreamKey('claude') // 'upstream:claude'
 */
export function upstreamKey(upstream: string): string {
  return `${start}${upstream}`
}

/** @example isUpstreamKey('upstream:claude') // true */
export function isUpstreamKey(provider: string): boolean {
  return provider.startsWith(start)
}

/** The upstream that a key is for, if it is one. */
export function upstreamOf(provider: string): string | undefined {
  return isUpstreamKey(provider) ? provider.slice(start.length) : undefined
}
