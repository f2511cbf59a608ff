/**
 * Bins of a histogram of milliseconds: sixteen between a power of two and the next, so that the middle of a bin is
 * within 3.2 % of everything in it. From 1/16 ms to 18 hours; what lies beyond is in the first or the last bin.
 */
const perDoubling = 16
const lowestExponent = -4
const highestExponent = 25

export const ttftBins: number = (highestExponent - lowestExponent + 1) * perDoubling

/** @example ttftBinOf(412.25) // 202 */
export function ttftBinOf(ms: number): number {
  if (!(ms >= 2 ** lowestExponent)) return 0
  if (ms >= 2 ** (highestExponent + 1)) return ttftBins - 1
  let exponent = Math.floor(Math.log2(ms))
  // A logarithm beside a power of two may be rounded to either side of it.
  if (2 ** exponent > ms) exponent -= 1
  else if (2 ** (exponent + 1) <= ms) exponent += 1
  const within = Math.floor((ms / 2 ** exponent - 1) * perDoubling)
  return (exponent - lowestExponent) * perDoubling + within
}

/** The middle of a bin, in milliseconds. */
export function ttftOfBin(bin: number): number {
  const exponent = Math.floor(bin / perDoubling) + lowestExponent
  return 2 ** exponent * (1 + ((bin % perDoubling) + 0.5) / perDoubling)
}
