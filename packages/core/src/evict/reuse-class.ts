import type { TrackedBlock } from './tracked-block.ts'

/** Tokens a request brought, cut into five bands. */
const broughtLimits = [512, 2_048, 8_192, 32_768] as const
/** Requests between the last two uses, cut into three bands. */
const gapLimits = [16, 128] as const

const bands = broughtLimits.length + 1
const gaps = gapLimits.length + 1
const reusedOnce = 2 * bands
const reusedMore = reusedOnce + 3 * gaps
const openEnd = reusedMore + 4 * gaps

/** Classes of blocks whose turn goes on; those of turns that are over come behind them, in the same order. */
const turnClasses = openEnd + 1

export const reuseClasses: number = 2 * turnClasses

/** Groups of classes that lend each other evidence: see `reusePool`. */
export const reusePools = 10

/**
 * Blocks of one class are taken to be used again alike. It tells apart how often a block was used again, how
 * much was new in the request that used it last, and how long its last reuse took to come; what was used
 * only once also by whether it opened a conversation or continued one; whether a person or a program goes on; and ends that no longer prompt can
 * match, because their last block is not full.
 */
export function reuseClass(block: Readonly<TrackedBlock<unknown>>): number {
  return historyClass(block) + (block.turnOver ? turnClasses : 0)
}

function historyClass(block: Readonly<TrackedBlock<unknown>>): number {
  if (block.open) return openEnd
  const brought = bandOf(broughtLimits, block.brought)
  if (block.reuses === 0) return (block.generation <= 1 ? 0 : bands) + brought
  const gap = bandOf(gapLimits, block.gap)
  if (block.reuses === 1) return reusedOnce + (brought >> 1) * gaps + gap
  return reusedMore + (block.reuses < 4 ? 0 : 2 * gaps) + (brought < 2 ? 0 : gaps) + gap
}

/** Classes of one pool start from the pool's common curve. */
export function reusePool(reuseClass: number): number {
  return reuseClass < turnClasses ? historyPool(reuseClass) : 5 + historyPool(reuseClass - turnClasses)
}

function historyPool(historyClass: number): number {
  if (historyClass === openEnd) return 4
  if (historyClass < reusedOnce) return historyClass < bands ? 0 : 1
  return historyClass < reusedMore ? 2 : 3
}

function bandOf(limits: readonly number[], value: number): number {
  let band = 0
  while (band < limits.length && value > (limits[band] ?? 0)) band++
  return band
}
