import { every } from './every'
import { isUtf8 } from './utf8'

/** The end (behind the closing quote) of the string whose content begins at `start`, 0 where it is not valid. */
export function stringEnd(start: i32): i32 {
  // Most names and many values are short and plain: one vector tells.
  const lane = v128.load(start)
  const stops = i8x16.bitmask(v128.or(v128.or(marks(lane), i8x16.le_u(lane, lastControl())), lane))
  if (stops != 0) {
    const at = start + ctz(stops)
    if (load<u8>(at) == 0x22) return at + 1
  }
  return longStringEnd(start)
}

/** The same for any string: 64 bytes at a time, in masks of one bit for each byte. */
function longStringEnd(start: i32): i32 {
  let at = start
  /** 1 where the last byte of the block before escapes the first of this one. */
  let escapesIn: u64 = 0
  /** Whether a character of several bytes may reach in from the block before. */
  let reachesIn = false
  while (true) {
    const a = v128.load(at)
    const b = v128.load(at, 16)
    const c = v128.load(at, 32)
    const d = v128.load(at, 48)
    const least = i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d))
    const control = i8x16.le_u(least, lastControl())
    const mark = v128.or(v128.or(marks(a), marks(b)), v128.or(marks(c), marks(d)))
    const high = v128.or(v128.or(a, b), v128.or(c, d))
    const stops = i8x16.bitmask(v128.or(v128.or(control, mark), high))
    if ((escapesIn | <u64>reachesIn | <u64>stops) == 0) {
      at += 64
      continue
    }
    // What stands behind the closing quote is looked at too, and no harm done: it has to be UTF-8 as well.
    if (reachesIn || i8x16.bitmask(high) != 0) {
      if (!isUtf8(at)) return 0
      // A character that goes on has begun or continued in the last byte.
      reachesIn = i8x16.bitmask(d) >> 15 != 0
    }
    let quotes = equal(a, b, c, d, 0x22)
    const backslashes = equal(a, b, c, d, 0x5c)
    let escaped: u64 = 0
    if ((backslashes | escapesIn) != 0) {
      escaped = escapedBytes(backslashes, escapesIn)
      quotes &= ~escaped
    }
    // The bits before the closing quote; all, where there is none.
    const inside = (quotes & (0 - quotes)) - 1
    if (v128.any_true(control) && (controls(a, b, c, d) & inside) != 0) return 0
    escaped &= inside
    if (escaped != 0) {
      if ((escaped & ~escapable(a, b, c, d)) != 0) return 0
      if (!areHexEscapes(at, escaped & equal(a, b, c, d, 0x75))) return 0
    }
    if (quotes != 0) return at + <i32>ctz(quotes) + 1
    escapesIn = (backslashes & ~escaped) >> 63
    at += 64
  }
}

/*
 * The bytes that a backslash escapes. In a run of backslashes every second one is, and so is the byte behind
 * a run of odd length: what a backslash escapes is no escape itself. Subtracting runs from a pattern in which
 * every other bit is set carries through each run, and leaves the alternation that its first bit asks for.
 */
function escapedBytes(backslashes: u64, escapesIn: u64): u64 {
  const odd: u64 = 0xaaaaaaaaaaaaaaaa
  const free = backslashes & ~escapesIn
  const alternating = (((free << 1) | odd) - free) ^ odd
  return alternating ^ (backslashes | escapesIn)
}

/** Bytes that may stand behind a backslash: one of "\/bfnrtu. */
function escapable(a: v128, b: v128, c: v128, d: v128): u64 {
  return mask(escapableIn(a), escapableIn(b), escapableIn(c), escapableIn(d))
}

function escapableIn(lane: v128): v128 {
  // For the upper half of a byte one bit (2_: 1, 5_: 2, 6_: 4, 7_: 8), for the lower the bits it goes with.
  const upperBit = i8x16(0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0)
  const lowerBits = i8x16(0, 0, 13, 0, 8, 8, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1)
  const upper = i8x16.swizzle(upperBit, i8x16.shr_u(lane, 4))
  const lower = i8x16.swizzle(lowerBits, v128.and(lane, every(0x0f)))
  return i8x16.ne(v128.and(upper, lower), every(0))
}

/** Whether four hex digits stand behind each of the bytes; they may do so in the next block. */
function areHexEscapes(block: i32, bytes: u64): bool {
  for (let left = bytes; left != 0; left &= left - 1) {
    const at = block + <i32>ctz(left)
    const digits = isHex(load<u8>(at, 1)) & isHex(load<u8>(at, 2)) & isHex(load<u8>(at, 3)) & isHex(load<u8>(at, 4))
    if (!digits) return false
  }
  return true
}

function isHex(byte: u32): bool {
  return byte - 0x30 <= 9 || (byte | 0x20) - 0x61 <= 5
}

/** Quotes and backslashes. */
function marks(lane: v128): v128 {
  return v128.or(i8x16.eq(lane, every(0x22)), i8x16.eq(lane, every(0x5c)))
}

function controls(a: v128, b: v128, c: v128, d: v128): u64 {
  const last = lastControl()
  return mask(i8x16.le_u(a, last), i8x16.le_u(b, last), i8x16.le_u(c, last), i8x16.le_u(d, last))
}

function lastControl(): v128 {
  return every(0x1f)
}

function equal(a: v128, b: v128, c: v128, d: v128, byte: i32): u64 {
  const wanted = every(byte)
  return mask(i8x16.eq(a, wanted), i8x16.eq(b, wanted), i8x16.eq(c, wanted), i8x16.eq(d, wanted))
}

/** The top bit of each byte, the first byte's lowest. */
function mask(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = i8x16.bitmask(a) | (i8x16.bitmask(b) << 16)
  const high = i8x16.bitmask(c) | (i8x16.bitmask(d) << 16)
  return <u64>(<u32>low) | ((<u64>(<u32>high)) << 32)
}
