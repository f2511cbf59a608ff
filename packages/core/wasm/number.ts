import { every } from './every'

/** The end of the number that begins at `start` with `-` or a digit, 0 where it is not valid. */
export function numberEnd(start: i32): i32 {
  let at = start + <i32>(load<u8>(start) == 0x2d)
  // A leading zero stands alone: what follows it is left to the caller, who finds a digit there.
  at = load<u8>(at) == 0x30 ? at + 1 : digitsEnd(at)
  if (at != 0 && load<u8>(at) == 0x2e) at = digitsEnd(at + 1)
  if (at != 0 && (load<u8>(at) | 0x20) == 0x65) {
    const sign = load<u8>(at, 1)
    at = digitsEnd(at + 1 + <i32>(sign == 0x2b || sign == 0x2d))
  }
  return at
}

/** The end of one digit or more, 0 where none stands. */
function digitsEnd(start: i32): i32 {
  let at = start
  while (true) {
    const digits = i8x16.bitmask(i8x16.le_u(i8x16.sub(v128.load(at), every(0x30)), every(9)))
    const count = ctz(~digits)
    at += count
    if (count != 16) return at == start ? 0 : at
  }
}
