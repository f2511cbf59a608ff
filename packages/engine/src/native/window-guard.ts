import type { Batch, Context, DecodeOutcome } from './contract.ts'

/**
 * A context of a sliding-window model that keeps every position.
 *
 * llama.cpp gives the cell of a position that has left the window to the next token that needs one, also where the
 * whole window is kept (`swa_full`): a prefix would lose what a later cut needs, and tokens would land where nobody
 * expects them. It takes only cells of a single sequence. So each sequence has a twin that holds the same cells; the
 * context below has twice the sequences.
 */
export class WindowGuard implements Context {
  readonly #context: Context
  readonly #sequences: number

  /** @param sequences of this context: the one below has twice as many */
  constructor(context: Context, sequences: number) {
    this.#context = context
    this.#sequences = sequences
  }

  get batch(): Batch {
    return this.#context.batch
  }

  get cells(): number {
    return this.#context.cells
  }

  get stateFormat(): string {
    return this.#context.stateFormat
  }

  async decode(count: number): Promise<DecodeOutcome> {
    const { sequences } = this.batch
    for (let row = 0; row < count; row++) this.#check(sequences[row] as number)
    const outcome = await this.#context.decode(count)
    if (outcome.kind === 'done') this.#guardBatch(count)
    return outcome
  }

  logits(index: number): Float32Array {
    return this.#context.logits(index)
  }

  embedding(index: number): Float32Array {
    return this.#context.embedding(index)
  }

  copySequence(from: number, to: number, start: number, end: number): void {
    this.#check(from)
    this.#check(to)
    this.#context.copySequence(from, to, start, end)
    this.#context.copySequence(from, this.#twin(to), start, end)
  }

  removeSequence(sequence: number, start: number, end: number): boolean {
    this.#check(sequence)
    const removed = this.#context.removeSequence(sequence, start, end)
    return this.#context.removeSequence(this.#twin(sequence), start, end) && removed
  }

  sequenceRange(sequence: number): { readonly first: number; readonly last: number } {
    this.#check(sequence)
    return this.#context.sequenceRange(sequence)
  }

  stateBytes(sequence: number): number {
    this.#check(sequence)
    return this.#context.stateBytes(sequence)
  }

  recurrentBytes(sequence: number): number {
    this.#check(sequence)
    return this.#context.recurrentBytes(sequence)
  }

  readState(sequence: number, target: Uint8Array): number {
    this.#check(sequence)
    return this.#context.readState(sequence, target)
  }

  writeState(sequence: number, source: Uint8Array): boolean {
    this.#check(sequence)
    this.#context.removeSequence(this.#twin(sequence), 0, -1)
    const accepted = this.#context.writeState(sequence, source)
    if (accepted) this.#context.copySequence(sequence, this.#twin(sequence), 0, -1)
    return accepted
  }

  close(): void {
    this.#context.close()
  }

  /** Neighbouring rows of one sequence are guarded together. */
  #guardBatch(count: number): void {
    const { sequences, positions } = this.batch
    for (let row = 0; row < count;) {
      const sequence = sequences[row] as number
      const start = positions[row] as number
      let end = row + 1
      while (end < count && sequences[end] === sequence && positions[end] === start + end - row) end++
      this.#context.copySequence(sequence, this.#twin(sequence), start, start + end - row)
      row = end
    }
  }

  #twin(sequence: number): number {
    return sequence + this.#sequences
  }

  #check(sequence: number): void {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= this.#sequences) {
      throw new RangeError(`sequence id is ${sequence}, 0 to ${this.#sequences - 1} allowed`)
    }
  }
}
