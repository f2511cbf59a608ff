import { malformedJson, tooDeep } from './json-error.ts'
import { scanLiteral, scanNumber } from './scan-scalar.ts'
import { scanString } from './scan-string.ts'

/**
 * The tape of a JSON text: three integers per value in document order, [start, end, following], where
 * `following` is the tape index behind the value and all it contains. Members of an object are key,
 * value, key, value.
 *
 * @throws IncipitError `invalid_json` and `invalid_utf8` with the byte position, `too_deep`
 */
export function writeTape(bytes: Uint8Array, maxDepth: number): Int32Array {
  return new Scanner(bytes, maxDepth).scan()
}

/** Depth is kept in an array, not on the call stack. */
class Scanner {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** Tape indices of the containers that are open. */
  readonly #open: Int32Array
  #depth = 0
  #inObject = false
  #tape: Int32Array
  #top = 0

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#open = new Int32Array(maxDepth)
    this.#tape = new Int32Array(Math.max(96, (bytes.length >> 6) * 3))
  }

  scan(): Int32Array {
    const bytes = this.#bytes
    let i = skipSpace(bytes, 0)
    do {
      if (this.#inObject) i = this.#name(i)
      const first = bytes[i]
      if (first === 0x7b || first === 0x5b) {
        this.#enter(i)
        i = skipSpace(bytes, i + 1)
        // Unless it is empty, a value of its own comes next.
        if (bytes[i] !== first + 2) continue
      } else {
        const end = scanScalar(bytes, this.#view, i)
        this.#push(i, end)
        i = skipSpace(bytes, end)
      }
      i = this.#leave(i)
    } while (this.#depth > 0)
    if (i !== bytes.length) throw malformedJson(bytes, i, 'the end of the body')
    return this.#tape.subarray(0, this.#top)
  }

  /** Takes a member name and its colon. */
  #name(start: number): number {
    if (this.#bytes[start] !== 0x22) throw malformedJson(this.#bytes, start, 'a quoted member name')
    const end = scanString(this.#bytes, this.#view, start)
    this.#push(start, end)
    const colon = skipSpace(this.#bytes, end)
    if (this.#bytes[colon] !== 0x3a) throw malformedJson(this.#bytes, colon, ': after a member name')
    return skipSpace(this.#bytes, colon + 1)
  }

  #enter(start: number): void {
    if (this.#depth === this.#open.length) throw tooDeep(this.#bytes, start, this.#depth)
    this.#open[this.#depth++] = this.#top
    this.#inObject = this.#bytes[start] === 0x7b
    this.#push(start, 0)
  }

  /** After a complete value: closes what ends here, and takes the comma that announces the next value. */
  #leave(start: number): number {
    let i = start
    while (this.#depth > 0) {
      const byte = this.#bytes[i]
      if (byte === 0x2c) return skipSpace(this.#bytes, i + 1)
      if (byte !== (this.#inObject ? 0x7d : 0x5d)) {
        throw malformedJson(this.#bytes, i, this.#inObject ? ', or }' : ', or ]')
      }
      this.#close(i + 1)
      i = skipSpace(this.#bytes, i + 1)
    }
    return i
  }

  #close(end: number): void {
    const tape = this.#tape
    const container = this.#open[--this.#depth]!
    tape[container + 1] = end
    tape[container + 2] = this.#top
    this.#inObject = this.#depth > 0 && this.#bytes[tape[this.#open[this.#depth - 1]!]!] === 0x7b
  }

  #push(start: number, end: number): void {
    if (this.#top + 3 > this.#tape.length) this.#tape = doubled(this.#tape)
    this.#tape[this.#top] = start
    this.#tape[this.#top + 1] = end
    this.#top += 3
    this.#tape[this.#top - 1] = this.#top
  }
}

function scanScalar(bytes: Uint8Array, view: DataView, start: number): number {
  const first = bytes[start] ?? 0
  if (first === 0x22) return scanString(bytes, view, start)
  if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return scanNumber(bytes, start)
  if (first === 0x74) return scanLiteral(bytes, start, 'true')
  if (first === 0x66) return scanLiteral(bytes, start, 'false')
  if (first === 0x6e) return scanLiteral(bytes, start, 'null')
  throw malformedJson(bytes, start, 'a JSON value')
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let i = start
  while (i < bytes.length) {
    const byte = bytes[i]!
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return i
    i++
  }
  return i
}

function doubled(tape: Int32Array): Int32Array {
  const larger = new Int32Array(tape.length * 2)
  larger.set(tape)
  return larger
}
