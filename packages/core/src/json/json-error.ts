import { IncipitError } from '../domain/errors.ts'
import { utf8SequenceEnd } from './utf8.ts'

/** Where a byte stands for people: both counted from 1, the column in characters. */
export interface TextPosition {
  readonly line: number
  readonly column: number
}

/**
 * Line and column of a byte. Costs a pass over the bytes before it: for error messages.
 * @example textPosition(body, 120)
 */
export function textPosition(bytes: Uint8Array, position: number): TextPosition {
  let line = 1
  let column = 1
  for (let i = 0; i < position; i++) {
    const byte = bytes[i] ?? 0
    if (byte === 0x0a) {
      line++
      column = 1
    } else if ((byte & 0xc0) !== 0x80) column++
  }
  return { line, column }
}

/** What the grammar wanted at `position`, against what stands there. */
export function malformedJson(bytes: Uint8Array, position: number, expected: string): IncipitError {
  const found = bytes[position]
  if (found !== undefined && found >= 0x80 && utf8SequenceEnd(bytes, position) < 0)
    return malformedUtf8(bytes, position)
  return new IncipitError(
    'invalid_json',
    `expected ${expected} at ${placeOf(bytes, position)}, found ${describe(bytes, position)}`,
    { position },
  )
}

export function malformedUtf8(bytes: Uint8Array, position: number): IncipitError {
  return new IncipitError('invalid_utf8', `the body is not UTF-8 at ${placeOf(bytes, position)}`, { position })
}

export function tooDeep(bytes: Uint8Array, position: number, allowed: number): IncipitError {
  return new IncipitError(
    'too_deep',
    `the body nests ${allowed + 1} levels at ${placeOf(bytes, position)}, ${allowed} allowed`,
    { position },
  )
}

function placeOf(bytes: Uint8Array, position: number): string {
  const { line, column } = textPosition(bytes, position)
  return `byte ${position} (line ${line}, column ${column})`
}

function describe(bytes: Uint8Array, position: number): string {
  const byte = bytes[position]
  if (byte === undefined) return 'the end of the body'
  if (byte === 0xef && bytes[position + 1] === 0xbb && bytes[position + 2] === 0xbf) return 'a byte order mark'
  // Only punctuation is shown as itself: messages carry no prompt text.
  const character = String.fromCharCode(byte)
  return '{}[]:,"\'/'.includes(character) ? character : `byte 0x${byte.toString(16).padStart(2, '0')}`
}
