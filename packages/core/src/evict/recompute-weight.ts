/**
 * Weight of a block that begins at `position`, for `EvictionPolicy.admit`. Attention over all that comes before costs
 * as much as everything else at position `evenAt`, and twice that at twice the position. The whole cost would be too
 * much of a weight: a long prompt that nobody needs would push out many short ones. Its fourth root saves the most
 * work for next to no hits: see docs/eviction.md.
 *
 * @example recomputeWeight(60_000, 4_000) // 2
 */
export function recomputeWeight(position: number, evenAt: number): number {
  return (1 + position / evenAt) ** 0.25
}
