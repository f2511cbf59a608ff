const single = new Float32Array(1)
const bits = new Uint32Array(single.buffer)

/** The IEEE half-precision bits of a number, rounded half up in magnitude; too large becomes infinity. */
export function halfBits(value: number): number {
  single[0] = value
  const word = bits[0] as number
  const sign = (word >>> 16) & 0x8000
  const exponent = ((word >>> 23) & 0xff) - 112
  const fraction = word & 0x7fffff
  if (exponent >= 31) return sign | 0x7c00
  if (exponent > 0) return sign | ((exponent << 10) + ((fraction + 0x1000) >>> 13))
  if (exponent < -10) return sign
  return sign | ((((fraction | 0x800000) >>> (1 - exponent)) + 0x1000) >>> 13)
}
