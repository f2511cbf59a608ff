/**
 * How many tokens two prompts begin with in common.
 * @example sharedLength(Int32Array.of(1, 2, 3), Int32Array.of(1, 2, 4)) // 2
 */
export function sharedLength(left: Int32Array, right: Int32Array): number {
  const limit = Math.min(left.length, right.length)
  let length = 0
  while (length < limit && left[length] === right[length]) length++
  return length
}
