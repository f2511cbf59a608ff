/**
 * Text of tokens that may end in the middle of a character: the bytes of an unfinished one wait for
 * the next token. What never becomes a character turns into U+FFFD.
 *
 * @example new Utf8Stream().push(Uint8Array.of(0xe2, 0x82)) // ''
 */
export class Utf8Stream {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  push(bytes: Uint8Array): string {
    return bytes.length === 0 ? '' : this.#decoder.decode(bytes, { stream: true })
  }

  /** The replacement for an unfinished character, once nothing more comes. */
  end(): string {
    return this.#decoder.decode()
  }
}
