import type { PromptSizeBand } from '../port.ts'

/** The bands of prompts, smallest first: from this many input tokens on, below the next one's. */
export const promptSizes: readonly { readonly band: PromptSizeBand; readonly from: number }[] = [
  { band: '0-1k', from: 0 },
  { band: '1k-4k', from: 1_000 },
  { band: '4k-16k', from: 4_000 },
  { band: '16k-64k', from: 16_000 },
  { band: '64k-256k', from: 64_000 },
  { band: '256k+', from: 256_000 },
]

/** The index of a prompt's band in `promptSizes`. */
export function promptSizeOf(inputTokens: number): number {
  return promptSizes.findLastIndex(({ from }) => inputTokens >= from)
}
