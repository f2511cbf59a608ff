import type { IsolationScope } from '../domain/isolation-scope.ts'
import type { Segment, Span } from '../domain/prompt.ts'
import type { WireHash } from '../domain/units.ts'
import { wireHash } from '../domain/units.ts'

/** Content bytes per block; the last block of a segment may hold fewer. */
export const wireBlockBytes = 256

/** What the chain reads of a prompt: the bytes as sent, and where its content stands, in render order. */
export interface ChainInput {
  readonly body: Uint8Array
  readonly segments: readonly Pick<Segment, 'span' | 'holes'>[]
}

/** Hashes of successive blocks, each of which stands for everything before it as well. */
export interface WeightedChain {
  /** Two 32-bit lanes per block: block `i` has `lanes[2 * i]` and `lanes[2 * i + 1]`. */
  readonly lanes: Uint32Array
  /** What each block adds, in the unit of the caller: bytes, or tokens when a trace says so. */
  readonly weights: ArrayLike<number>
  /** Index of the last block of each segment, ascending. */
  readonly segmentEnds: ArrayLike<number>
}

/** The wire chain of one prompt; weights are content bytes. */
export interface WireChain extends WeightedChain {
  readonly weights: Uint16Array
  readonly segmentEnds: Uint32Array
}

/**
 * Hashes the exact content of a prompt in provider render order: blocks of 256 bytes, broken at
 * segment ends, each chained over the one before and the first over the scope's secret seed.
 *
 * Two prompts share blocks exactly as far as they share bytes and segment ends; what follows has no
 * influence. Every block carries its length and whether it ends a segment, so bytes moved between
 * neighbouring segments change the chain. An empty segment is one block of 0 bytes. Bytes between
 * segments and in `holes` are not content. Model and profile are not in the chain: they key the index.
 *
 * 64 bits, fast, and not proof against an adversary who knows the seed: only ever compared inside
 * one scope.
 *
 * @throws RangeError when a span or hole lies outside the body or out of order
 * @example wireChain(prompt, scope).lanes.length / 2 // number of blocks
 */
export function wireChain(input: ChainInput, scope: IsolationScope): WireChain {
  const sizes = input.segments.map((segment) => contentBytes(segment, input.body.length))
  const segmentEnds = new Uint32Array(sizes.length)
  let blocks = 0
  sizes.forEach((size, index) => {
    blocks += Math.max(1, Math.ceil(size / wireBlockBytes))
    segmentEnds[index] = blocks - 1
  })
  const chain = { lanes: new Uint32Array(blocks * 2), weights: new Uint16Array(blocks), segmentEnds }
  const [left, right] = scope.seed
  const writer: ChainWriter = { chain, next: 0, left, right, filled: 0 }
  for (const segment of input.segments) hashSegment(writer, input.body, segment)
  return chain
}

/**
 * The hash of everything up to and including one block: 16 hex digits.
 * @throws RangeError when the chain has no such block
 * @example wireHashAt(chain, chain.segmentEnds[0] ?? 0)
 */
export function wireHashAt(chain: WeightedChain, block: number): WireHash {
  const left = chain.lanes[block * 2]
  const right = chain.lanes[block * 2 + 1]
  if (left === undefined || right === undefined) {
    throw new RangeError(`block ${block} asked of a chain of ${chain.lanes.length / 2} blocks`)
  }
  return wireHash(left.toString(16).padStart(8, '0') + right.toString(16).padStart(8, '0'))
}

/**
 * Content bytes of a segment: its span without its holes.
 * @throws RangeError when a span or hole lies outside the body or out of order
 * @example contentBytes({ span: { start: 10, end: 20 } }, 100) // 10
 */
export function contentBytes(segment: Pick<Segment, 'span' | 'holes'>, bodyBytes: number): number {
  let size = 0
  let at = segment.span.start
  for (const hole of segment.holes ?? []) {
    size += checkedLength({ start: at, end: hole.start }, bodyBytes)
    at = hole.end
    checkedLength(hole, bodyBytes)
  }
  return size + checkedLength({ start: at, end: segment.span.end }, bodyBytes)
}

// Typed arrays read 32-bit words at multiples of 4 only, and segments begin anywhere: content is copied
// once into this aligned scratch, which is small enough to stay in the processor's second-level cache.
const scratchBytes = 256 * wireBlockBytes
const words = new Int32Array(scratchBytes / 4)
const scratch = new Uint8Array(words.buffer)

interface ChainWriter {
  readonly chain: WireChain
  /** Index of the block that is written next. */
  next: number
  left: number
  right: number
  /** Content bytes of the current segment that wait in the scratch. */
  filled: number
}

function hashSegment(writer: ChainWriter, body: Uint8Array, segment: Pick<Segment, 'span' | 'holes'>): void {
  let at = segment.span.start
  for (const hole of segment.holes ?? []) {
    copyContent(writer, body, { start: at, end: hole.start })
    at = hole.end
  }
  copyContent(writer, body, { start: at, end: segment.span.end })
  flush(writer, true)
}

function copyContent(writer: ChainWriter, body: Uint8Array, span: Span): void {
  let at = span.start
  while (at < span.end) {
    // A full scratch is hashed only when more bytes follow: its last block might end the segment.
    if (writer.filled === scratchBytes) flush(writer, false)
    const end = Math.min(span.end, at + scratchBytes - writer.filled)
    scratch.set(body.subarray(at, end), writer.filled)
    writer.filled += end - at
    at = end
  }
}

function flush(writer: ChainWriter, endsSegment: boolean): void {
  const { filled } = writer
  let offset = 0
  for (; filled - offset > wireBlockBytes; offset += wireBlockBytes) hashBlock(writer, offset, wireBlockBytes, 0)
  const length = filled - offset
  // The last words of a short block must not depend on what the scratch held before.
  scratch.fill(0, filled, (filled + 7) & ~7)
  hashBlock(writer, offset, length, endsSegment ? 1 : 0)
  writer.filled = 0
}

function hashBlock(writer: ChainWriter, offset: number, length: number, endsSegment: number): void {
  let left = writer.left | 0
  let right = writer.right | 0
  const from = offset >>> 2
  const to = from + (((length + 7) >>> 3) << 1)
  // Every word enters both lanes, so that all 64 bits depend on every byte. The words are inside the
  // scratch by construction; a check of each would halve the speed.
  for (let index = from; index < to; index += 2) {
    const even = words[index] as number
    const odd = words[index + 1] as number
    left = Math.imul(left ^ even, 0x9e3779b1)
    right = Math.imul(right ^ odd, 0x85ebca77)
    left = (((left << 13) | (left >>> 19)) + odd) | 0
    right = (((right << 17) | (right >>> 15)) + even) | 0
  }
  left ^= (length << 1) | endsSegment
  right = (right + left) | 0
  left = avalanche((left + Math.imul(right, 0xc2b2ae3d)) | 0)
  right = avalanche((right + left) | 0)
  writer.left = left
  writer.right = right
  const { chain, next } = writer
  chain.lanes[next * 2] = left
  chain.lanes[next * 2 + 1] = right
  chain.weights[next] = length
  writer.next = next + 1
}

/** The 32-bit finaliser of MurmurHash3: each input bit flips each output bit with probability one half. */
function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function checkedLength(span: Span, bodyBytes: number): number {
  if (!(span.start >= 0 && span.start <= span.end && span.end <= bodyBytes)) {
    throw new RangeError(`span [${span.start}, ${span.end}) does not lie in order within ${bodyBytes} bytes`)
  }
  return span.end - span.start
}
