/** Bytes of English and JSON from rare to frequent, as far as they tell where a search rather begins. */
const rareFirst = '[]jqxzkvbwygfpmhculdrsniotae_:{ "'

/**
 * A text that is looked for in what passes. The search for bytes stops at each one that is the first of the text, and
 * a quote is every sixth byte of an answer: it is looked for from its rarest byte on, and what stands before is compared.
 *
 * @example new Needle('"error"').indexIn(chunk) // looks for `rror"`
 */
export class Needle {
  readonly text: Buffer
  readonly #tail: Buffer
  /** How far the tail stands behind the beginning. */
  readonly #lead: number

  constructor(text: string) {
    this.text = Buffer.from(text)
    this.#lead = rarestOf(text)
    this.#tail = this.text.subarray(this.#lead)
  }

  /** Where the text stands first, from `from` on; -1 = nowhere. */
  indexIn(bytes: Buffer, from: number = 0): number {
    const lead = this.#lead
    let at = bytes.indexOf(this.#tail, from + lead)
    while (at !== -1 && !this.#isLedTo(bytes, at - lead)) at = bytes.indexOf(this.#tail, at + 1)
    return at === -1 ? -1 : at - lead
  }

  #isLedTo(bytes: Buffer, start: number): boolean {
    for (let index = 0; index < this.#lead; index++) if (bytes[start + index] !== this.text[index]) return false
    return true
  }
}

/** Where the rarest byte of a text stands; what is not in the list is rarer than all of it. */
function rarestOf(text: string): number {
  let rarest = 0
  for (let at = 1; at < text.length; at++) {
    if (rareFirst.indexOf(text.charAt(at)) < rareFirst.indexOf(text.charAt(rarest))) rarest = at
  }
  return rarest
}
