import type { IsolationScope } from '../domain/isolation-scope.ts'
import type { Prompt, Segment } from '../domain/prompt.ts'
import type { WireHash } from '../domain/units.ts'
import type { WireChain } from './wire-chain.ts'
import { contentBytes, wireBlockBytes, wireChain, wireHashAt } from './wire-chain.ts'

/** What identifies the opening of a prompt under a scope. */
export interface Fingerprint {
  readonly chain: WireChain
  /** Blocks of the intended prefix: it ends with block `prefixBlocks - 1`. */
  readonly prefixBlocks: number
  /** Hash of the intended prefix (M-4); `undefined` when the prompt has no segment at all. */
  readonly wireHash: WireHash | undefined
}

/** What a fingerprint needs of a prompt. */
export type FingerprintInput = Pick<Prompt, 'body' | 'segments' | 'breakpoints'>

/**
 * Hashes a prompt and finds its intended prefix, the part its author meant to be shared:
 *
 * 1. with breakpoints: up to the last one in render order. That is the end of the segment it stands
 *    in, or, when the breakpoint says where its block ends (`Breakpoint.end`) and that is earlier,
 *    the last whole 256-byte block before that place. Marks never break blocks, so that a
 *    breakpoint that wanders from turn to turn leaves the chain as it was.
 * 2. else, or when that leaves no block, up to the end of the segment before the last `user_message`;
 * 3. else (no `user_message`, or nothing before it) the whole prompt.
 *
 * @throws RangeError when a span lies outside the body
 * @example fingerprint(prompt, scope).wireHash // '9a2f...' for the header x-incipit-prefix
 */
export function fingerprint(prompt: FingerprintInput, scope: IsolationScope): Fingerprint {
  const chain = wireChain(prompt, scope)
  const prefixBlocks =
    blocksAtLastBreakpoint(prompt, chain) || blocksBeforeLastUserMessage(prompt, chain) || chain.weights.length
  return {
    chain,
    prefixBlocks,
    wireHash: prefixBlocks === 0 ? undefined : wireHashAt(chain, prefixBlocks - 1),
  }
}

/** Only the breakpoint that stands furthest counts, so that a prompt of thousands is measured once. */
function blocksAtLastBreakpoint(prompt: FingerprintInput, chain: WireChain): number {
  const { index, end } = furthestBreakpoint(prompt)
  const segment = prompt.segments[index]
  if (segment === undefined) return 0
  return end >= segment.span.end ? (chain.segmentEnds[index] ?? 0) + 1 : wholeBlocks({ chain, index, segment, end })
}

function furthestBreakpoint({ breakpoints, segments }: FingerprintInput): { index: number; end: number } {
  const furthest = { index: -1, end: 0 }
  if (breakpoints.length === 0) return furthest
  const indexes = new Map(segments.map(({ pointer }, index) => [pointer, index]))
  for (const { pointer, end = Infinity } of breakpoints) {
    const index = lastSegmentAround(pointer, indexes)
    if (index < furthest.index || (index === furthest.index && end <= furthest.end)) continue
    furthest.index = index
    furthest.end = end
  }
  return furthest
}

/** Blocks of the chain that end at or before byte `end` of the body, which lies inside segment `index`. */
function wholeBlocks(place: {
  readonly chain: WireChain
  readonly index: number
  readonly segment: Segment
  readonly end: number
}): number {
  const { chain, index, segment, end } = place
  const before = index === 0 ? 0 : (chain.segmentEnds[index - 1] ?? 0) + 1
  const upTo = Math.max(segment.span.start, end)
  const holes = (segment.holes ?? [])
    .filter((hole) => hole.start < upTo)
    .map((hole) => ({ start: hole.start, end: Math.min(hole.end, upTo) }))
  const bytes = contentBytes({ span: { start: segment.span.start, end: upTo }, holes }, upTo)
  return before + Math.floor(bytes / wireBlockBytes)
}

function blocksBeforeLastUserMessage(prompt: FingerprintInput, chain: WireChain): number {
  const last = prompt.segments.findLastIndex((segment) => segment.kind === 'user_message')
  const end = chain.segmentEnds[last - 1]
  return end === undefined ? 0 : end + 1
}

/** The last segment that a pointer leads to or into; -1 where there is none. */
function lastSegmentAround(pointer: string, indexes: ReadonlyMap<string, number>): number {
  let last = -1
  for (let length = pointer.length; length >= 0; length = length === 0 ? -1 : pointer.lastIndexOf('/', length - 1)) {
    last = Math.max(last, indexes.get(pointer.slice(0, length)) ?? -1)
  }
  return last
}
