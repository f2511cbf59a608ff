import { rateLimits } from './rules.ts'

const minute = 60_000

interface Window {
  readonly startedAt: number
  requests: number
  input: number
  output: number
}

/** Counts what an organisation used in the present minute and tells it in headers. Nothing is refused. */
export class RateMeter {
  readonly #windows = new Map<string, Window>()

  /** @returns the `anthropic-ratelimit-*` headers; `input` is without what was read from the cache, as there */
  count(
    org: string,
    use: { readonly now: number; readonly input: number; readonly output: number },
  ): Record<string, string> {
    const window = this.#windowOf(org, use.now)
    window.requests += 1
    window.input += use.input
    window.output += use.output
    const { requests, inputTokens, outputTokens } = rateLimits.value
    const reset = new Date(window.startedAt + minute).toISOString()
    const row = (name: string, limit: number, used: number): [string, string][] => [
      [`anthropic-ratelimit-${name}-limit`, String(limit)],
      [`anthropic-ratelimit-${name}-remaining`, String(Math.max(0, limit - used))],
      [`anthropic-ratelimit-${name}-reset`, reset],
    ]
    return Object.fromEntries([
      ...row('requests', requests, window.requests),
      ...row('tokens', inputTokens + outputTokens, window.input + window.output),
      ...row('input-tokens', inputTokens, window.input),
      ...row('output-tokens', outputTokens, window.output),
    ])
  }

  clear(): void {
    this.#windows.clear()
  }

  #windowOf(org: string, now: number): Window {
    const known = this.#windows.get(org)
    if (known !== undefined && now < known.startedAt + minute) return known
    const fresh = { startedAt: now, requests: 0, input: 0, output: 0 }
    this.#windows.set(org, fresh)
    return fresh
  }
}
