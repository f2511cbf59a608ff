import type { Prompt } from '@incipit/core'
import type { Limits } from './limits.ts'

/** Tokens for each byte of text: English and code have some four bytes to the token. */
const plainRatio = 0.25
/** What one more answer weighs in what is remembered. */
const weight = 0.2
const mostRemembered = 10_000

/**
 * How many tokens a request is taken for before the provider has counted them. Where tokens that a prefix cache
 * answers do not count, what counted lately for each byte of a key is the better guess.
 *
 * @example new TokenRatios().estimate('key_1', 4_000, 'all') // 1000
 */
export class TokenRatios {
  /** Uncached tokens for each byte, by key or organisation. */
  readonly #uncached = new Map<string, number>()

  estimate(name: string, bytes: number, counts: Limits['tpmCounts']): number {
    const seen = counts === 'all' ? plainRatio : (this.#uncached.get(name) ?? plainRatio)
    return Math.max(1, Math.ceil(bytes * Math.min(plainRatio, seen)))
  }

  learn(name: string, bytes: number, uncachedTokens: number): void {
    if (bytes <= 0) return
    const known = this.#uncached.get(name)
    const seen = uncachedTokens / bytes
    if (known === undefined && this.#uncached.size >= mostRemembered) this.#uncached.clear()
    this.#uncached.set(name, known === undefined ? seen : known * (1 - weight) + seen * weight)
  }
}

/** How many tokens text of so many bytes is taken for. */
export function estimatedTokens(bytes: number): number {
  return Math.max(1, Math.ceil(bytes * plainRatio))
}

/** The bytes of a prompt that are text: images and documents have tokens by other rules. */
export function textBytes({ body, segments }: Pick<Prompt, 'body' | 'segments'>): number {
  let others = 0
  for (const { attachments } of segments) for (const { span } of attachments) others += span.end - span.start
  return Math.max(0, body.length - others)
}

/** What a request counts towards `tpm`; `undefined` where its usage is not known. */
export interface CountedUsage {
  readonly inputTokens: number | undefined
  readonly cachedInputTokens: number | undefined
  readonly outputTokens: number | undefined
}

/** @example countedTokens({ inputTokens: 100, cachedInputTokens: 80, outputTokens: 5 }, 'uncached') // 25 */
export function countedTokens(usage: CountedUsage, counts: Limits['tpmCounts']): number | undefined {
  const { inputTokens, cachedInputTokens = 0, outputTokens = 0 } = usage
  if (inputTokens === undefined) return undefined
  return inputTokens + outputTokens - (counts === 'uncached' ? Math.min(inputTokens, cachedInputTokens) : 0)
}
