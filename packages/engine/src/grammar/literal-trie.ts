import type { GrammarRules } from './gbnf.ts'
import { literal } from './gbnf.ts'

interface Branch {
  readonly label: string
  readonly node: LiteralTrie
}

/**
 * Literals that may come next and what follows each, so that those with the same beginning are written once: the
 * alternatives open at a place are then as many as characters that may come there, not as literals. Never changed:
 * `with` gives another trie that shares all but one path.
 *
 * @example emptyTrie.with('"name":', 'string').with('"number":', 'integer').body(rules) // '"\"n" (...)'
 */
export class LiteralTrie {
  /** What follows the literal that ends here. */
  readonly #end: string | undefined
  /** By the first character of their labels. */
  readonly #branches: ReadonlyMap<string, Branch>
  readonly #rules = new WeakMap<GrammarRules, string>()

  constructor(end?: string, branches: ReadonlyMap<string, Branch> = new Map()) {
    this.#end = end
    this.#branches = branches
  }

  get isEmpty(): boolean {
    return this.#end === undefined && this.#branches.size === 0
  }

  /** The trie with one literal more; `end` is the GBNF that follows it. A literal that is there already keeps its end. */
  with(text: string, end: string): LiteralTrie {
    const first = firstCharacter(text)
    if (first === undefined) return this.#end === undefined ? new LiteralTrie(end, this.#branches) : this
    const branch = this.#branches.get(first)
    const changed = branch === undefined ? leaf(text, end) : split(branch, text, end)
    return new LiteralTrie(this.#end, new Map(this.#branches).set(first, changed))
  }

  /** GBNF of what may come here; in parentheses where it is several. Adds rules for what is more than one thing. */
  body(rules: GrammarRules): string {
    const alternatives = [...this.#branches.values()].map(({ label, node }) => {
      return `${literal(label)} ${node.#reference(rules)}`.trimEnd()
    })
    if (this.#end !== undefined) alternatives.push(this.#end === '' ? '""' : this.#end)
    return alternatives.length === 1 ? (alternatives[0] ?? '""') : `(${alternatives.join(' | ')})`
  }

  #reference(rules: GrammarRules): string {
    if (this.#branches.size === 0) return this.#end ?? ''
    const known = this.#rules.get(rules)
    if (known !== undefined) return known
    const name = rules.add('literals', this.body(rules))
    this.#rules.set(rules, name)
    return name
  }
}

export const emptyTrie: LiteralTrie = new LiteralTrie()

function leaf(label: string, end: string): Branch {
  return { label, node: emptyTrie.with('', end) }
}

/** A branch with one literal more, which has at least the first character of its label. */
function split({ label, node }: Branch, text: string, end: string): Branch {
  let shared = 0
  while (shared < label.length && label[shared] === text[shared]) shared++
  // A pair of surrogates is one character of a grammar.
  if (isHighSurrogate(label, shared - 1)) shared--
  if (shared === label.length) return { label, node: node.with(text.slice(shared), end) }
  const rest = label.slice(shared)
  const below = new LiteralTrie(undefined, new Map([[firstCharacter(rest) ?? '', { label: rest, node }]]))
  return { label: label.slice(0, shared), node: below.with(text.slice(shared), end) }
}

function firstCharacter(text: string): string | undefined {
  const point = text.codePointAt(0)
  return point === undefined ? undefined : String.fromCodePoint(point)
}

function isHighSurrogate(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  return unit >= 0xd800 && unit < 0xdc00
}
