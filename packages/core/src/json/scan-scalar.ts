import { malformedJson } from './json-error.ts'

/**
 * Validates the number that begins at `start` with `-` or a digit.
 * @returns the position behind it
 * @throws IncipitError `invalid_json`
 */
export function scanNumber(bytes: Uint8Array, start: number): number {
  let i = bytes[start] === 0x2d ? start + 1 : start
  // A leading zero stands alone: what follows it is left to the caller, who finds a digit there.
  i = bytes[i] === 0x30 ? i + 1 : scanDigits(bytes, i)
  if (bytes[i] === 0x2e) i = scanDigits(bytes, i + 1)
  if (((bytes[i] ?? 0) | 0x20) === 0x65) {
    i++
    if (bytes[i] === 0x2b || bytes[i] === 0x2d) i++
    i = scanDigits(bytes, i)
  }
  return i
}

/**
 * Validates `true`, `false` or `null` at `start`.
 * @returns the position behind it
 * @throws IncipitError `invalid_json`
 */
export function scanLiteral(bytes: Uint8Array, start: number, literal: 'true' | 'false' | 'null'): number {
  for (let i = 1; i < literal.length; i++) {
    if (bytes[start + i] !== literal.charCodeAt(i)) throw malformedJson(bytes, start + i, `the literal ${literal}`)
  }
  return start + literal.length
}

function scanDigits(bytes: Uint8Array, start: number): number {
  let i = start
  while (isDigit(bytes[i])) i++
  if (i === start) throw malformedJson(bytes, i, 'a digit')
  return i
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}
