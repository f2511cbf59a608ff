/** Rules of a grammar in GBNF, the form llama.cpp reads, by name. */
export class GrammarRules {
  readonly #rules = new Map<string, string>()
  /** The last number given to each stem: thousands of rules may have the same one. */
  readonly #counts = new Map<string, number>()

  /** Adds a rule under a name that nothing has yet. @returns the name */
  add(stem: string, body: string): string {
    const name = this.reserve(stem)
    this.set(name, body)
    return name
  }

  /** A name for a rule that is written later: for schemas that refer to themselves. */
  reserve(stem: string): string {
    const clean = stem.replace(/[^a-zA-Z0-9]+/g, '-').slice(0, 40) || 'rule'
    // That one is what generation begins with.
    let name = clean === 'root' ? 'root-1' : clean
    let count = this.#counts.get(clean) ?? 1
    while (this.#rules.has(name)) name = `${clean}-${++count}`
    this.#counts.set(clean, count)
    this.#rules.set(name, '')
    return name
  }

  set(name: string, body: string): void {
    this.#rules.set(name, body)
  }

  get size(): number {
    return this.#rules.size
  }

  /** The rules there are now, for `dropSince`. */
  mark(): number {
    return this.#rules.size
  }

  /** Forgets what was added since: rules of something that came out as not to be had. */
  dropSince(mark: number): void {
    for (const name of [...this.#rules.keys()].slice(mark)) this.#rules.delete(name)
  }

  /** The whole grammar. @param root what generation begins with */
  text(root: string): string {
    return `root ::= ${root}\n${this.lines()}`
  }

  /** All rules, one a line. */
  lines(): string {
    return [...this.#rules].map(([name, body]) => `${name} ::= ${body}`).join('\n')
  }
}

/**
 * The text of a grammar; `body` adds the rules that it needs and says what generation begins with.
 * @example grammarText((rules) => addJsonRules(rules).object) // any JSON object
 */
export function grammarText(body: (rules: GrammarRules) => string): string {
  const rules = new GrammarRules()
  return rules.text(body(rules))
}

/**
 * Text that stands for itself.
 * @example literal('{"a"') // '"{\\"a\\""'
 */
export function literal(text: string): string {
  const escaped = text.replace(/[\\"\n\r\t]/g, (character) => escapes[character] ?? character)
  return `"${escaped}"`
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Longest count that a repetition may have: llama.cpp writes each of them out. */
const mostRepetitions = 1_000

/**
 * `item` from `least` to `most` times. A bound beyond 1,000 is left out.
 * @example repeated('char', 1, 3) // 'char{1,3}'
 */
export function repeated(item: string, least: number, most: number | undefined): string {
  const from = Math.min(least, mostRepetitions)
  if (most === undefined || most > mostRepetitions) return from === 0 ? `${item}*` : `${item}{${from},}`
  return `${item}{${from},${most}}`
}

/** One of several; in parentheses where it is more than one. */
export function oneOf(alternatives: readonly string[]): string {
  return alternatives.length === 1 ? (alternatives[0] ?? '""') : `(${alternatives.join(' | ')})`
}
