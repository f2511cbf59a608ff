import { engineBlock } from './block-text.ts'

/**
 * What reused tokens of the engine are in tokens of the trace, counted as the simulator does: whole blocks, and never
 * more than the request has.
 * @example servedTokens({ cached: 64 + 3 * 64 + 10, opening: 64, inputTokens: 9_000, traceBlock: 512 }) // 1_536
 */
export function servedTokens(counts: {
  readonly cached: number
  /** Tokens of the engine before the first block of the trace. */
  readonly opening: number
  readonly inputTokens: number
  readonly traceBlock: number
}): number {
  const { cached, opening, inputTokens, traceBlock } = counts
  const blocks = Math.max(0, Math.floor((cached - opening) / engineBlock))
  return Math.min(blocks * traceBlock, inputTokens)
}
