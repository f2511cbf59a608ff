import type { Batch, Context, DecodeOutcome } from './contract.ts'

/** A context over another one, whose sequences have other ids there, or more: everything goes there, under those ids. */
export abstract class RenamedContext implements Context {
  protected readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  /** Id below of a sequence. @throws RangeError where there is none of this id */
  protected abstract below(sequence: number): number

  abstract decode(count: number): Promise<DecodeOutcome>

  get batch(): Batch {
    return this.context.batch
  }

  get cells(): number {
    return this.context.cells
  }

  get stateFormat(): string {
    return this.context.stateFormat
  }

  logits(index: number): Float32Array {
    return this.context.logits(index)
  }

  embedding(index: number): Float32Array {
    return this.context.embedding(index)
  }

  copySequence(from: number, to: number, start: number, end: number): void {
    this.context.copySequence(this.below(from), this.below(to), start, end)
  }

  removeSequence(sequence: number, start: number, end: number): boolean {
    return this.context.removeSequence(this.below(sequence), start, end)
  }

  sequenceRange(sequence: number): { readonly first: number; readonly last: number } {
    return this.context.sequenceRange(this.below(sequence))
  }

  stateBytes(sequence: number): number {
    return this.context.stateBytes(this.below(sequence))
  }

  recurrentBytes(sequence: number): number {
    return this.context.recurrentBytes(this.below(sequence))
  }

  readState(sequence: number, target: Uint8Array): number {
    return this.context.readState(this.below(sequence), target)
  }

  writeState(sequence: number, source: Uint8Array): boolean {
    return this.context.writeState(this.below(sequence), source)
  }

  close(): void {
    this.context.close()
  }
}

/** @example throw noSequence(9, 8) // 'sequence id is 9, 0 to 7 allowed' */
export function noSequence(sequence: number, sequences: number): RangeError {
  return new RangeError(`sequence id is ${sequence}, 0 to ${sequences - 1} allowed`)
}
