import type { Context, DecodeOutcome } from './contract.ts'
import { noSequence, RenamedContext } from './renamed-context.ts'

/**
 * A context of a recurrent model whose batches stay in one piece.
 *
 * llama.cpp evaluates several sequences of such a model together only where their ids follow each other: others become
 * a piece each, and a piece of one row is added up in another order than one of several. So the ids of a batch are made
 * neighbours before it is decoded: a sequence is moved by name, its state stays where it is. The context below has
 * one sequence more, to make room for that.
 */
export class NeighbourIds extends RenamedContext {
  readonly #spare: number
  /** Id below of each id above, and the other way round. */
  readonly #below: Int32Array
  readonly #above: Int32Array

  /** @param sequences of this context: the one below has one more */
  constructor(context: Context, sequences: number) {
    super(context)
    this.#spare = sequences
    this.#below = Int32Array.from({ length: sequences }, (_, id) => id)
    this.#above = this.#below.slice()
  }

  async decode(count: number): Promise<DecodeOutcome> {
    const { sequences } = this.batch
    const asked = sequences.slice(0, count)
    for (const [place, id] of [...new Set(asked)].entries()) this.#move(this.below(id), place)
    for (let row = 0; row < count; row++) sequences[row] = this.below(asked[row] as number)
    const outcome = this.context.decode(count)
    try {
      return await outcome
    } finally {
      sequences.set(asked)
    }
  }

  protected below(sequence: number): number {
    const below = this.#below[sequence]
    if (below === undefined) throw noSequence(sequence, this.#below.length)
    return below
  }

  /** Two sequences below change their ids. */
  #move(from: number, to: number): void {
    if (from === to) return
    this.#rename(to, this.#spare)
    this.#rename(from, to)
    this.#rename(this.#spare, from)
    const [moved, displaced] = [this.#above[from] as number, this.#above[to] as number]
    this.#above[to] = moved
    this.#above[from] = displaced
    this.#below[moved] = to
    this.#below[displaced] = from
  }

  #rename(from: number, to: number): void {
    this.context.copySequence(from, to, 0, -1)
    this.context.removeSequence(from, 0, -1)
  }
}
