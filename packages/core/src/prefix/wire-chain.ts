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
export function wireChain({ body, segments }: ChainInput, scope: IsolationScope): WireChain {
  const segmentEnds = new Uint32Array(segments.length)
  let blocks = 0
  for (let index = 0; index < segments.length; index++) {
    blocks += Math.max(1, Math.ceil(contentBytes(segments[index]!, body.length) / wireBlockBytes))
    segmentEnds[index] = blocks - 1
  }
  const chain = { lanes: new Uint32Array(blocks * 2), weights: new Uint16Array(blocks), segmentEnds }
  const [left, right] = scope.seed
  const writer: ChainWriter = { chain, next: 0, left, right }
  const view = viewOf(body)
  for (const { span, holes } of segments) {
    if (holes === undefined || holes.length === 0) hashSegment(writer, view, span)
    else {
      const content = contentOf(body, span, holes)
      hashSegment(writer, viewOf(content), { start: 0, end: content.length })
    }
  }
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
export function contentBytes({ span, holes }: Pick<Segment, 'span' | 'holes'>, bodyBytes: number): number {
  if (holes === undefined) return checkedLength(span.start, span.end, bodyBytes)
  let size = 0
  let at = span.start
  for (const hole of holes) {
    size += checkedLength(at, hole.start, bodyBytes)
    at = hole.end
    checkedLength(hole.start, hole.end, bodyBytes)
  }
  return size + checkedLength(at, span.end, bodyBytes)
}

interface ChainWriter {
  readonly chain: WireChain
  /** Index of the block that is written next. */
  next: number
  left: number
  right: number
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A copy of the content of a segment with holes, which few have. */
function contentOf(body: Uint8Array, span: Span, holes: readonly Span[]): Uint8Array {
  const content = new Uint8Array(contentBytes({ span, holes }, body.length))
  let filled = 0
  let at = span.start
  for (const { start, end } of [...holes, { start: span.end, end: span.end }]) {
    content.set(body.subarray(at, start), filled)
    filled += start - at
    at = end
  }
  return content
}

function hashSegment(writer: ChainWriter, view: DataView, { start, end }: Span): void {
  let at = start
  for (; end - at > wireBlockBytes; at += wireBlockBytes) hashBlock(writer, view, at, wireBlockBytes << 1)
  hashBlock(writer, view, at, ((end - at) << 1) | 1)
}

/** `lengthAndEnd`: twice the length of the block, and 1 more where it ends its segment. */
function hashBlock(writer: ChainWriter, view: DataView, start: number, lengthAndEnd: number): void {
  let left = writer.left | 0
  let right = writer.right | 0
  const end = start + (lengthAndEnd >>> 1)
  const whole = end - 8
  let at = start
  // Every word enters both lanes, so that all 64 bits depend on every byte. What comes next waits for the
  // multiplication: the loads from where the segment begins, aligned or not, cost nothing beside it.
  for (; at <= whole; at += 8) {
    const even = view.getInt32(at, true)
    const odd = view.getInt32(at + 4, true)
    left = Math.imul(left ^ even, 0x9e3779b1)
    right = Math.imul(right ^ odd, 0x85ebca77)
    left = (((left << 13) | (left >>> 19)) + odd) | 0
    right = (((right << 17) | (right >>> 15)) + even) | 0
  }
  if (at < end) {
    const even = lastWord(view, at, Math.min(at + 4, end))
    const odd = lastWord(view, at + 4, end)
    left = Math.imul(left ^ even, 0x9e3779b1)
    right = Math.imul(right ^ odd, 0x85ebca77)
    left = (((left << 13) | (left >>> 19)) + odd) | 0
    right = (((right << 17) | (right >>> 15)) + even) | 0
  }
  left ^= lengthAndEnd
  right = (right + left) | 0
  left = avalanche((left + Math.imul(right, 0xc2b2ae3d)) | 0)
  right = avalanche((right + left) | 0)
  writer.left = left
  writer.right = right
  const { chain, next } = writer
  chain.lanes[next * 2] = left
  chain.lanes[next * 2 + 1] = right
  chain.weights[next] = lengthAndEnd >>> 1
  writer.next = next + 1
}

/** The bytes from `at` on that are left, as the word that they begin: zero bytes fill it. */
function lastWord(view: DataView, at: number, end: number): number {
  let word = 0
  for (let index = at; index < end; index++) word |= view.getUint8(index) << ((index - at) << 3)
  return word
}

/** The 32-bit finaliser of MurmurHash3: each input bit flips each output bit with probability one half. */
function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function checkedLength(start: number, end: number, bodyBytes: number): number {
  if (!(start >= 0 && start <= end && end <= bodyBytes)) {
    throw new RangeError(`span [${start}, ${end}) does not lie in order within ${bodyBytes} bytes`)
  }
  return end - start
}
