import { every } from './every'

/*
 * Two neighbouring bytes tell all faults but one. Each fault has a bit; three tables give the bits that the
 * first byte's high half, its low half, and the second byte's high half allow: what all three allow is there.
 * After J. Keiser and D. Lemire, "Validating UTF-8 in less than one instruction per byte", 2021.
 */
const tooShort: i8 = 1 // a lead, and no continuation behind it
const tooLong: i8 = 2 // ASCII, and a continuation behind it
const overlong3: i8 = 4 // e0 80..9f
const tooLarge: i8 = 8 // f4 90..bf, f5..ff 90..bf
const surrogate: i8 = 16 // ed a0..bf
const overlong2: i8 = 32 // c0..c1 80..bf
const overlong4: i8 = 64 // f0 80..8f; with f5..ff 80..8f, too large
const continued: i8 = -128 // two continuations: a fault unless a longer character asks for the second
const always: i8 = tooShort | tooLong | continued

/**
 * Whether the 64 bytes at `start`, with up to 3 before them, are UTF-8 (RFC 3629), but for a character that
 * the last bytes cut off.
 */
export function isUtf8(start: i32): bool {
  const faults = v128.or(
    v128.or(faultsOf(start), faultsOf(start + 16)),
    v128.or(faultsOf(start + 32), faultsOf(start + 48)),
  )
  return !v128.any_true(faults)
}

/** Each byte against the three before it: non-zero bytes are at fault. */
function faultsOf(at: i32): v128 {
  const byte = v128.load(at)
  const before = v128.load(at - 1)
  const pairs = v128.and(
    v128.and(byFirstHigh(high(before)), byFirstLow(v128.and(before, every(0x0f)))),
    bySecondHigh(high(byte)),
  )
  // The third byte of three and more, the fourth of four: only there two continuations have to be.
  const third = i8x16.sub_sat_u(v128.load(at - 2), every(0xe0 - 0x80))
  const fourth = i8x16.sub_sat_u(v128.load(at - 3), every(0xf0 - 0x80))
  return v128.xor(pairs, v128.and(v128.or(third, fourth), every(0x80)))
}

function high(lane: v128): v128 {
  return i8x16.shr_u(lane, 4)
}

function byFirstHigh(half: v128): v128 {
  const table = i8x16(
    // 0..7: ASCII
    tooLong,
    tooLong,
    tooLong,
    tooLong,
    tooLong,
    tooLong,
    tooLong,
    tooLong,
    // 8..b: continuations
    continued,
    continued,
    continued,
    continued,
    // c, d, e, f: leads
    tooShort | overlong2,
    tooShort,
    tooShort | overlong3 | surrogate,
    tooShort | tooLarge | overlong4,
  )
  return i8x16.swizzle(table, half)
}

function byFirstLow(half: v128): v128 {
  const table = i8x16(
    always | overlong2 | overlong3 | overlong4, // c0, e0, f0
    always | overlong2, // c1
    always,
    always,
    always | tooLarge, // f4
    // f5 and on: below 0x90 too large as well, by the bit that has that range
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
    always | tooLarge | overlong4 | surrogate, // ed
    always | tooLarge | overlong4,
    always | tooLarge | overlong4,
  )
  return i8x16.swizzle(table, half)
}

function bySecondHigh(half: v128): v128 {
  const continuation = tooLong | overlong2 | continued
  const table = i8x16(
    tooShort,
    tooShort,
    tooShort,
    tooShort,
    tooShort,
    tooShort,
    tooShort,
    tooShort,
    continuation | overlong3 | overlong4, // 8
    continuation | overlong3 | tooLarge, // 9
    continuation | surrogate | tooLarge,
    continuation | surrogate | tooLarge, // a, b
    tooShort,
    tooShort,
    tooShort,
    tooShort,
  )
  return i8x16.swizzle(table, half)
}
