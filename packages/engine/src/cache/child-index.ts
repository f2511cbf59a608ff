import { sharedLength } from './shared-length.ts'

/** A block that follows another one. */
export interface ChildBlock {
  readonly key: string
  readonly tokens: Int32Array
}

/** The block that a prompt goes on like, and for how many tokens. */
export interface PartialBlock {
  readonly block: ChildBlock
  readonly count: number
}

/**
 * Which blocks follow which, so that a prompt that leaves a known one within a block reuses the tokens before that
 * place: the state of a token depends on nothing behind it.
 */
export class ChildIndex {
  readonly #children = new Map<string, Map<string, Int32Array>>()

  /** @param parent key of the block before, or `rootOf(scope)` */
  add(parent: string, { key, tokens }: ChildBlock): void {
    const known = this.#children.get(parent)
    if (known === undefined) this.#children.set(parent, new Map([[key, tokens]]))
    else known.set(key, tokens)
  }

  delete(parent: string, key: string): void {
    const known = this.#children.get(parent)
    if (known?.delete(key) === true && known.size === 0) this.#children.delete(parent)
  }

  /** Keys of the blocks right behind one. */
  below(parent: string): Iterable<string> {
    return this.#children.get(parent)?.keys() ?? []
  }

  /** The child that shares the most tokens with `rest`; `undefined` where none shares any. */
  closest(parent: string, rest: Int32Array): PartialBlock | undefined {
    let closest: PartialBlock | undefined
    for (const [key, tokens] of this.#children.get(parent) ?? []) {
      const count = sharedLength(tokens, rest)
      if (count > (closest?.count ?? 0)) closest = { block: { key, tokens }, count }
    }
    return closest
  }
}

/** What stands for the parent of the first block of a prefix. */
export function rootOf(scope: string): string {
  return `root/${scope}`
}
