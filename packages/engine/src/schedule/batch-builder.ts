import type { CellArena, CellRun } from '../cache/cell-arena.ts'
import { reservedSequences } from '../cache/cell-arena.ts'
import { cellRuns } from '../cache/page-table.ts'
import type { Context, DecodeOutcome } from '../native/contract.ts'

/** Neighbouring tokens of one sequence. */
export interface BatchEntry {
  readonly sequence: number
  readonly pages: Int32Array
  readonly tokens: Int32Array
  /** Tokens `[start, end)`, at those positions. */
  readonly start: number
  readonly end: number
  /** Whether the logits behind the last one are wanted. */
  readonly wantsLogits: boolean
}

/** Entries whose tokens lie in neighbouring cells. */
interface Piece {
  readonly entry: number
  readonly cells: CellRun
  readonly position: number
}

/**
 * Puts the tokens of several sequences into one batch, in the order of the cells they belong in.
 *
 * Kernels for a single row add up in another order than those for several, so an exact batch, and its
 * set of rows with logits, never has one row: then a prompt gives the same bits whatever else runs.
 */
export class BatchBuilder {
  readonly #context: Context
  readonly #arena: CellArena
  readonly #exact: boolean
  readonly #entries: BatchEntry[] = []
  readonly #lastRows: number[] = []
  #tokens = 0

  /** @param options.exact never evaluate a single row; worth its price only without flash attention */
  constructor(context: Context, arena: CellArena, options: { readonly exact: boolean }) {
    this.#context = context
    this.#arena = arena
    this.#exact = options.exact
  }

  /** Tokens that still fit. */
  get room(): number {
    return this.#context.batch.capacity - this.#tokens
  }

  get tokens(): number {
    return this.#tokens
  }

  clear(): void {
    this.#entries.length = 0
    this.#tokens = 0
  }

  /** @returns the number of the entry, for `logits` */
  add(entry: BatchEntry): number {
    this.#tokens += entry.end - entry.start
    return this.#entries.push(entry) - 1
  }

  /** Evaluates the entries; at least one must have been added. */
  async decode(): Promise<DecodeOutcome> {
    const pieces = this.#pieces()
    let row = 0
    this.#arena.open(merged(pieces))
    if (this.#tokens === 1 && this.#exact) {
      // Behind the others: opening them may fill a gap, and filler takes the lowest empty cells.
      this.#arena.openCompanion()
      row = this.#companion()
    }
    for (const piece of pieces) row = this.#write(piece, row)
    if (this.#exact) this.#secondLogits(row)
    return this.#context.decode(row)
  }

  /** Logits behind the last token of an entry, until the next decode. */
  logits(entry: number): Float32Array {
    return this.#context.logits(this.#lastRows[entry] as number)
  }

  #pieces(): readonly Piece[] {
    const pieces: Piece[] = []
    for (const [entry, { pages, start, end }] of this.#entries.entries()) {
      let position = start
      for (const cells of cellRuns(pages, start, end)) {
        pieces.push({ entry, cells, position })
        position += cells.end - cells.start
      }
    }
    return pieces.sort((left, right) => left.cells.start - right.cells.start)
  }

  #companion(): number {
    const { batch } = this.#context
    batch.tokens[0] = 0
    batch.positions[0] = 0
    batch.sequences[0] = reservedSequences.companion
    batch.wantsLogits[0] = 0
    return 1
  }

  #write(piece: Piece, firstRow: number): number {
    const { batch } = this.#context
    const entry = this.#entries[piece.entry] as BatchEntry
    const count = piece.cells.end - piece.cells.start
    for (let index = 0; index < count; index++) {
      const row = firstRow + index
      batch.tokens[row] = entry.tokens[piece.position + index] as number
      batch.positions[row] = piece.position + index
      batch.sequences[row] = entry.sequence
      batch.wantsLogits[row] = 0
    }
    const next = firstRow + count
    if (piece.position + count === entry.end) {
      this.#lastRows[piece.entry] = next - 1
      if (entry.wantsLogits) batch.wantsLogits[next - 1] = 1
    }
    return next
  }

  #secondLogits(rows: number): void {
    const { wantsLogits } = this.#context.batch
    let wanted = 0
    for (let row = 0; row < rows && wanted < 2; row++) wanted += wantsLogits[row] as number
    if (wanted === 1) wantsLogits[wantsLogits[0] === 1 ? 1 : 0] = 1
  }
}

function merged(pieces: readonly Piece[]): readonly CellRun[] {
  const runs: { start: number; end: number }[] = []
  for (const { cells } of pieces) {
    const last = runs.at(-1)
    if (last?.end === cells.start) last.end = cells.end
    else runs.push({ start: cells.start, end: cells.end })
  }
  return runs
}
