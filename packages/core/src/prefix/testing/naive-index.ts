/** The prefix index as one would write it without a thought of speed: the model of the property tests. */
export class NaiveIndex {
  readonly #budget: number
  readonly #nodes = new Map<string, { tick: number; uses: number; weight: number }>()
  #tick = 0

  constructor(budget: number) {
    this.#budget = budget
  }

  get size(): number {
    return this.#nodes.size
  }

  insert(
    namespace: string,
    hashes: readonly number[],
    weights: readonly number[],
  ): { knownBlocks: number; addedBlocks: number } {
    this.#tick += 1
    const paths = [namespace, ...hashes.map((_, at) => pathOf(namespace, hashes.slice(0, at + 1)))].slice(
      0,
      this.#budget,
    )
    const known = paths.filter((path) => this.#nodes.has(path)).length
    for (const path of paths) if (this.#nodes.has(path)) this.#use(path)
    paths.forEach((path, at) => {
      if (this.#nodes.has(path)) return
      if (this.#nodes.size === this.#budget) this.evictOne()
      this.#nodes.set(path, { tick: 0, uses: 0, weight: at === 0 ? 0 : (weights[at - 1] ?? 0) })
      this.#use(path)
    })
    return { knownBlocks: Math.max(0, known - 1), addedBlocks: paths.length - Math.max(1, known) }
  }

  match(namespace: string, hashes: readonly number[]): { blocks: number; weight: number } {
    let weight = 0
    for (let blocks = 0; blocks < hashes.length; blocks++) {
      const node = this.#nodes.get(pathOf(namespace, hashes.slice(0, blocks + 1)))
      if (node === undefined) return { blocks, weight }
      weight += node.weight
    }
    return { blocks: hashes.length, weight }
  }

  /** How often each block was used, most first. */
  blockUses(): number[] {
    const blocks = [...this.#nodes].filter(([path]) => path.includes('/'))
    return blocks.map(([, node]) => node.uses).sort((a, b) => b - a)
  }

  /** The leaf that was used longest ago. */
  evictOne(): void {
    const all = [...this.#nodes]
    const leaves = all.filter(([path]) => !all.some(([other]) => other.startsWith(`${path}/`)))
    const [oldest] = leaves.sort(([, a], [, b]) => a.tick - b.tick)
    if (oldest !== undefined) this.#nodes.delete(oldest[0])
  }

  #use(path: string): void {
    const node = this.#nodes.get(path)
    if (node === undefined) return
    node.tick = this.#tick
    node.uses += 1
  }
}

function pathOf(namespace: string, hashes: readonly number[]): string {
  return [namespace, ...hashes].join('/')
}
