/** What the bytes of a token are: text that stands alone, part of a character, or nothing. */
export type TokenShape = 'whole' | 'part' | 'empty'

/**
 * The tokens of a vocabulary that are no whole characters. A grammar of llama.cpp reads the spelling of control tokens,
 * which is no text of the answer, and takes bytes that no UTF-8 has for characters: both are kept out by these.
 */
export class TokenShapes {
  /** Tokens without text; those that end an answer are not among them. */
  readonly empty: Int32Array
  /** Tokens with a part of a character. */
  readonly parts: Int32Array
  readonly #shapes: Uint8Array
  readonly #bytes: (token: number) => Uint8Array

  /** @param bytes of a token; a view that the next call may overwrite */
  constructor(vocabularySize: number, bytes: (token: number) => Uint8Array, ends: (token: number) => boolean) {
    this.#bytes = bytes
    this.#shapes = new Uint8Array(vocabularySize)
    const empty: number[] = []
    const parts: number[] = []
    for (let token = 0; token < vocabularySize; token++) {
      const text = bytes(token)
      if (text.length === 0 && !ends(token)) empty.push(token)
      if (behind(0, text) !== 0) parts.push(token)
      else continue
      this.#shapes[token] = 1
    }
    for (const token of empty) this.#shapes[token] = 2
    this.empty = Int32Array.from(empty)
    this.parts = Int32Array.from(parts)
  }

  shape(token: number): TokenShape {
    return (['whole', 'part', 'empty'] as const)[this.#shapes[token] ?? 2] ?? 'empty'
  }

  /** The state of a UTF-8 text behind a token; `undefined` where it is no UTF-8 any more. */
  after(state: Utf8State, token: number): Utf8State | undefined {
    return behind(state, this.#bytes(token))
  }
}

/** How many bytes of a character are missing, and the range of the next one; 0 = none. */
export type Utf8State = number

/** States pack the count of missing bytes, and the least and largest next one. */
function missing(count: number, low = 0x80, high = 0xbf): Utf8State {
  return (count << 16) | (low << 8) | high
}

function behind(state: Utf8State, bytes: Uint8Array): Utf8State | undefined {
  let now = state
  for (const byte of bytes) {
    if (now === 0) {
      const next = first(byte)
      if (next === undefined) return undefined
      now = next
      continue
    }
    if (byte < ((now >> 8) & 0xff) || byte > (now & 0xff)) return undefined
    const left = (now >> 16) - 1
    now = left === 0 ? 0 : missing(left)
  }
  return now
}

/** By RFC 3629: no overlong forms, no halves of surrogate pairs, nothing above U+10FFFF. */
function first(byte: number): Utf8State | undefined {
  if (byte < 0x80) return 0
  if (byte < 0xc2 || byte > 0xf4) return undefined
  if (byte < 0xe0) return missing(1)
  if (byte < 0xf0) return byte === 0xe0 ? missing(2, 0xa0) : byte === 0xed ? missing(2, 0x80, 0x9f) : missing(2)
  return byte === 0xf0 ? missing(3, 0x90) : byte === 0xf4 ? missing(3, 0x80, 0x8f) : missing(3)
}
