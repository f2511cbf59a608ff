import type { Context, DecodeOutcome } from './contract.ts'
import { noSequence, RenamedContext } from './renamed-context.ts'

/**
 * A context of a sliding-window model that keeps every position.
 *
 * llama.cpp gives the cell of a position that has left the window to the next token that needs one, also where the
 * whole window is kept (`swa_full`): a prefix would lose what a later cut needs, and tokens would land where nobody
 * expects them. It takes only cells of a single sequence. So each sequence has a twin that holds the same cells; the
 * context below has twice the sequences.
 */
export class WindowGuard extends RenamedContext {
  readonly #sequences: number

  /** @param sequences of this context: the one below has twice as many */
  constructor(context: Context, sequences: number) {
    super(context)
    this.#sequences = sequences
  }

  async decode(count: number): Promise<DecodeOutcome> {
    const { sequences } = this.batch
    for (let row = 0; row < count; row++) this.below(sequences[row] as number)
    const outcome = await this.context.decode(count)
    if (outcome.kind === 'done') this.#guardBatch(count)
    return outcome
  }

  override copySequence(from: number, to: number, start: number, end: number): void {
    super.copySequence(from, to, start, end)
    this.context.copySequence(from, this.#twin(to), start, end)
  }

  override removeSequence(sequence: number, start: number, end: number): boolean {
    const removed = super.removeSequence(sequence, start, end)
    return this.context.removeSequence(this.#twin(sequence), start, end) && removed
  }

  override writeState(sequence: number, source: Uint8Array): boolean {
    this.context.removeSequence(this.#twin(this.below(sequence)), 0, -1)
    const accepted = super.writeState(sequence, source)
    if (accepted) this.context.copySequence(sequence, this.#twin(sequence), 0, -1)
    return accepted
  }

  /** A sequence has the same id there, and its twin another. */
  protected below(sequence: number): number {
    if (Number.isInteger(sequence) && sequence >= 0 && sequence < this.#sequences) return sequence
    throw noSequence(sequence, this.#sequences)
  }

  /** Neighbouring rows of one sequence are guarded together. */
  #guardBatch(count: number): void {
    const { sequences, positions } = this.batch
    for (let row = 0; row < count;) {
      const sequence = sequences[row] as number
      const start = positions[row] as number
      let end = row + 1
      while (end < count && sequences[end] === sequence && positions[end] === start + end - row) end++
      this.context.copySequence(sequence, this.#twin(sequence), start, start + end - row)
      row = end
    }
  }

  #twin(sequence: number): number {
    return sequence + this.#sequences
  }
}
