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

function blocksAtLastBreakpoint(prompt: FingerprintInput, chain: WireChain): number {
  let blocks = 0
  for (const { pointer, end } of prompt.breakpoints) {
    const index = prompt.segments.findLastIndex((segment) => contains(segment.pointer, pointer))
    const segment = prompt.segments[index]
    if (segment === undefined) continue
    const segmentEnd = (chain.segmentEnds[index] ?? 0) + 1
    const reached =
      end === undefined || end >= segment.span.end ? segmentEnd : wholeBlocks({ chain, index, segment, end })
    blocks = Math.max(blocks, reached)
  }
  return blocks
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

function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`)
}
