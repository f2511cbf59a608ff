/** However many are held: some 80 MB. */
const mostRemembered = 262_144

/**
 * How many blocks a policy remembers beyond those held. Small caches remember more beyond themselves: reuse after a
 * long time is learnt from what they do not hold.
 *
 * @example rememberedFor(10_000) // 80_000
 */
export function rememberedFor(capacityBlocks: number): number {
  return Math.min(mostRemembered, Math.max(32_768, 8 * capacityBlocks))
}
