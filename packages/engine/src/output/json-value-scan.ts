/** Finds the end of one JSON value in text that arrives in pieces. The value begins with its first character. */
export class JsonValueScan {
  #depth = 0
  #inString = false
  #escaped = false
  #begun = false

  /** How much of `text` belongs to the value, and whether it ends there. Numbers and words end before what is none of theirs. */
  push(text: string): { readonly length: number; readonly done: boolean } {
    for (let at = 0; at < text.length; at++) {
      const character = text[at] as string
      if (this.#inString) {
        this.#inside(character)
        if (!this.#inString && this.#depth === 0) return { length: at + 1, done: true }
        continue
      }
      if (this.#depth === 0 && this.#begun && /[,}\]\s]/.test(character)) return { length: at, done: true }
      this.#begun = true
      if (character === '"') this.#inString = true
      else if (character === '{' || character === '[') this.#depth++
      else if (character === '}' || character === ']') {
        this.#depth--
        if (this.#depth === 0) return { length: at + 1, done: true }
      }
    }
    return { length: text.length, done: false }
  }

  #inside(character: string): void {
    if (this.#escaped) this.#escaped = false
    else if (character === '\\') this.#escaped = true
    else if (character === '"') this.#inString = false
  }
}
