import { every } from './every'

/** The first byte from `start` on that is no space. */
export function spaceEnd(start: i32): i32 {
  let at = start
  while (true) {
    const lane = v128.load(at)
    const space = v128.or(
      v128.or(i8x16.eq(lane, every(0x20)), i8x16.eq(lane, every(0x0a))),
      v128.or(i8x16.eq(lane, every(0x0d)), i8x16.eq(lane, every(0x09))),
    )
    const count = ctz(~i8x16.bitmask(space))
    at += count
    if (count != 16) return at
  }
}
