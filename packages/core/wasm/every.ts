/** A vector of 16 times the same byte. */
export function every(byte: i32): v128 {
  return i8x16.splat(<i8>byte)
}
