/** A vocabulary learnt from a text: merges in rank order and the token each one makes. */
export interface TrainedMerges {
  /** `left right`, in byte spelling. */
  readonly merges: readonly string[]
  readonly tokens: readonly string[]
}

/** How llama.cpp splits text before merging, for `tokenizer.ggml.pre` = `llama-bpe`. */
const words =
  /'(?:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/giu

/** One printable character per byte: the spelling that byte-level vocabularies use. */
export const byteSpelling: readonly string[] = spellBytes()

/**
 * Trains byte-level byte-pair merges. The same text gives the same merges everywhere: ties go to the
 * pair seen first.
 *
 * @example trainMerges('the then they', 2).tokens // ['Ġthe', ...]
 */
export function trainMerges(text: string, limit: number): TrainedMerges {
  const trainer = new Trainer(text)
  const merges: string[] = []
  const tokens: string[] = []
  while (merges.length < limit) {
    const pair = trainer.bestPair()
    if (pair === undefined) break
    const [left, right] = trainer.merge(pair)
    merges.push(`${left} ${right}`)
    tokens.push(left + right)
  }
  return { merges, tokens }
}

interface Word {
  readonly symbols: number[]
  readonly count: number
}

interface Pair {
  readonly left: number
  readonly right: number
  count: number
  readonly words: Set<number>
}

/** Keeps pair counts up to date merge by merge: recounting the text each time would take seconds. */
class Trainer {
  readonly #spelling: string[] = [...byteSpelling]
  readonly #words: Word[] = []
  readonly #pairs = new Map<number, Pair>()

  constructor(text: string) {
    const counts = new Map<string, number>()
    for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1)
    for (const [word, count] of counts) {
      this.#words.push({ symbols: [...Buffer.from(word, 'utf8')], count })
      this.#countPairs(this.#words.length - 1, 1)
    }
  }

  bestPair(): Pair | undefined {
    let best: Pair | undefined
    for (const pair of this.#pairs.values()) if (pair.count > (best?.count ?? 1)) best = pair
    return best
  }

  merge(pair: Pair): readonly [left: string, right: string] {
    const left = this.#spelling[pair.left] as string
    const right = this.#spelling[pair.right] as string
    const symbol = this.#spelling.push(left + right) - 1
    // A copy: counting changes the set.
    const affected = Array.from(pair.words)
    for (const word of affected) {
      this.#countPairs(word, -1)
      replacePair(this.#wordAt(word).symbols, pair, symbol)
      this.#countPairs(word, 1)
    }
    this.#pairs.delete(pairKey(pair.left, pair.right))
    return [left, right]
  }

  #wordAt(index: number): Word {
    return this.#words[index] as Word
  }

  #countPairs(index: number, sign: 1 | -1): void {
    const { symbols, count } = this.#wordAt(index)
    for (let at = 1; at < symbols.length; at++) {
      const left = symbols[at - 1] as number
      const right = symbols[at] as number
      const key = pairKey(left, right)
      let pair = this.#pairs.get(key)
      if (pair === undefined) this.#pairs.set(key, (pair = { left, right, count: 0, words: new Set() }))
      pair.count += sign * count
      if (sign === 1) pair.words.add(index)
      else pair.words.delete(index)
    }
  }
}

function pairKey(left: number, right: number): number {
  return left * 65_536 + right
}

function replacePair(symbols: number[], pair: Pair, symbol: number): void {
  let to = 0
  for (let from = 0; from < symbols.length; from++) {
    const both = symbols[from] === pair.left && symbols[from + 1] === pair.right
    symbols[to++] = both ? symbol : (symbols[from] as number)
    if (both) from++
  }
  symbols.length = to
}

/** Printable bytes stand for themselves, the others for the characters from U+0100 on, in order. */
function spellBytes(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(printable ? byte : next++)
  })
}
