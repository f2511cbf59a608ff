import type { Context } from '../native/contract.ts'

/** Cells of one page. Attention kernels add up in groups of 16 cells; a page is several such groups. */
export const pageCells = 64

/** Sequence ids that no request gets. */
export const reservedSequences = { filler: 0, scratch: 1, companion: 2, count: 3 } as const

/**
 * Cells before the first page: the companion's, and filler up to where kernels begin a new group. Few,
 * since every cell below the top costs every batch time.
 */
const reservedCells = 16
/** Attention works on whole multiples of this many cells. */
const attentionCells = 256
/** Sizes of filler that are kept: any run is put together from them. */
const fillerSizes: readonly number[] = [64, 32, 16, 8, 4, 2, 1]
/** Bytes of one cell in the head of a state blob: position, number of owners, owner. */
const cellRecordBytes = 12

/** Cells `[start, end)`. */
export interface CellRun {
  readonly start: number
  readonly end: number
}

/**
 * Decides which cell of the KV buffer each token lands in. Floating-point sums depend on the order of
 * their terms, so a prompt gives the same bits each time only if its tokens keep their order in the
 * buffer and their place within a page, whatever else is resident. llama.cpp puts tokens into the
 * lowest empty cells; so every cell below the top that is not wanted is kept occupied by filler: state
 * of a sequence that nothing attends to, whose positions are its cell numbers.
 */
export class CellArena {
  readonly pages: number
  readonly #context: Context
  readonly #references: Int32Array
  /** Pages some cell of which was opened since they were last filled up. */
  readonly #opened: Uint8Array
  #freePages: number
  #placing = false
  #top = 0
  readonly #fillers = new Map<number, Uint8Array>()
  #records: readonly CellRecords[] = []

  constructor(context: Context) {
    this.#context = context
    this.pages = Math.floor((context.cells - reservedCells) / pageCells)
    this.#references = new Int32Array(this.pages)
    this.#opened = new Uint8Array(this.pages)
    this.#freePages = this.pages
  }

  get freePages(): number {
    return this.#freePages
  }

  /** Cells attention has to pass over: all below the highest used one. */
  get top(): number {
    return this.#top
  }

  /** Whether cells are placed. Where not, pages are only counted and nothing may be shared. */
  get placing(): boolean {
    return this.#placing
  }

  /**
   * Makes the filler and begins to place cells, unless the state of this model has a form that is not
   * understood. Needs an empty context.
   */
  async start(): Promise<void> {
    this.#placing = await this.#makeFiller()
    if (!this.#placing) return
    const { filler, companion } = reservedSequences
    this.#write({ sequence: companion, cell: 0, position: 0, count: 1 })
    this.#top = 1
    for (let cell = 1; cell < reservedCells; cell++) this.#write({ sequence: filler, cell, position: cell, count: 1 })
    this.#top = reservedCells
  }

  /** Evaluates some tokens and keeps their state; nothing of it stays in the buffer. */
  async #makeFiller(): Promise<boolean> {
    const { batch } = this.#context
    const { scratch, filler } = reservedSequences
    for (let at = 0; at < pageCells; at += batch.capacity) {
      const rows = Math.min(batch.capacity, pageCells - at)
      batch.tokens.fill(0, 0, rows)
      batch.sequences.fill(filler, 0, rows)
      batch.wantsLogits.fill(0, 0, rows)
      for (let row = 0; row < rows; row++) batch.positions[row] = at + row
      // Oxlint sees a race with another turn of the loop; each batch needs the one before it.
      // oxlint-disable-next-line no-await-in-loop
      const outcome = await this.#context.decode(rows)
      if (outcome.kind !== 'done') return false
    }
    const nothing = this.#read(scratch)
    const unheld = nothing.subarray(nothing.length - this.#context.recurrentBytes(scratch))
    for (const size of fillerSizes) {
      this.#context.copySequence(filler, scratch, 0, size)
      this.#fillers.set(size, withoutRecurrent(this.#read(scratch), this.#context.recurrentBytes(scratch), unheld))
      this.#context.removeSequence(scratch, 0, -1)
    }
    this.#context.removeSequence(filler, 0, -1)
    this.#records = findRecords(this.#fillers)
    return this.#records.length > 0 && this.#acceptsPositions()
  }

  #read(sequence: number): Uint8Array {
    const blob = new Uint8Array(this.#context.stateBytes(sequence))
    this.#context.readState(sequence, blob)
    return blob
  }

  /** Takes the `count` lowest free pages above page `above`, in ascending order. */
  allocate(count: number, above: number): Int32Array | undefined {
    if (count > this.#freePages) return undefined
    const taken = new Int32Array(count)
    let found = 0
    for (let page = above + 1; page < this.pages && found < count; page++) {
      if (this.#references[page] === 0) taken[found++] = page
    }
    if (found < count) return undefined
    for (const page of taken) this.#references[page] = 1
    this.#freePages -= count
    return taken
  }

  /** One more sequence holds these pages. */
  retain(pages: Int32Array): void {
    for (const page of pages) this.#references[page] = (this.#references[page] as number) + 1
  }

  /** A sequence holds these pages no longer: its cells in them must have been removed before. */
  release(pages: Int32Array): void {
    const freed: number[] = []
    for (const page of pages) {
      const left = (this.#references[page] as number) - 1
      this.#references[page] = left
      if (left === 0) freed.push(page)
    }
    this.#freePages += freed.length
    if (freed.length > 0 && this.#placing) this.#tidy(freed)
  }

  /**
   * Makes the cells of these runs, ascending, exactly those that the next batch or state lands in.
   * They must be filled before the next call.
   */
  open(runs: readonly CellRun[]): void {
    const last = runs.at(-1)
    if (last === undefined || !this.#placing) return
    const filledTo = Math.max(this.#top, last.start)
    this.#fill(this.#top, filledTo)
    for (const run of runs) {
      const end = Math.min(run.end, filledTo)
      if (run.start < end) this.#context.removeSequence(reservedSequences.filler, run.start, end)
      this.#opened.fill(1, pageOf(run.start), pageOf(run.end - 1) + 1)
    }
    this.#top = Math.max(this.#top, last.end)
  }

  /** Gives cells back that were opened and are empty again. */
  closeRun(run: CellRun): void {
    if (run.start >= run.end || !this.#placing) return
    if (run.end === this.#top) this.#top = run.start
    else this.#fill(run.start, run.end)
  }

  /** Empties the companion's cell, the lowest of all, for a row that fills up a batch of one. */
  openCompanion(): void {
    this.#context.removeSequence(reservedSequences.companion, 0, -1)
  }

  /** Freed pages at the top lower it, others are filled up: a hole would catch other tokens. */
  #tidy(freed: readonly number[]): void {
    let page = pageOf(this.#top - 1)
    while (page >= 0 && this.#references[page] === 0) this.#opened[page--] = 0
    const top = Math.min(this.#top, firstCell(page + 1))
    if (top < this.#top) this.#context.removeSequence(reservedSequences.filler, top, -1)
    this.#top = top
    for (const page of freed) {
      if (firstCell(page) >= top || this.#opened[page] === 0) continue
      this.#opened[page] = 0
      this.#context.removeSequence(reservedSequences.filler, firstCell(page), firstCell(page + 1))
      this.#fill(firstCell(page), firstCell(page + 1))
    }
  }

  /** Occupies the lowest empty cells, which must be `[start, end)`. */
  #fill(start: number, end: number): void {
    const { filler } = reservedSequences
    for (let cell = start; cell < end;) {
      const count = fillerSizes.find((size) => size <= end - cell) as number
      this.#write({ sequence: filler, cell, position: cell, count })
      cell += count
    }
  }

  /** Lets `sequence` hold filler, which lands in the lowest empty cells. */
  #write(fill: {
    readonly sequence: number
    readonly cell: number
    readonly position: number
    readonly count: number
  }): void {
    const { scratch } = reservedSequences
    const { sequence, position, count } = fill
    const blob = this.#fillers.get(count) as Uint8Array
    setPositions(blob, this.#records, { count, first: position })
    if (!this.#context.writeState(scratch, blob)) throw new Error(`no room for filler at cell ${fill.cell}`)
    this.#context.copySequence(scratch, sequence, position, position + count)
    this.#context.removeSequence(scratch, 0, -1)
  }

  /** A trial: filler with other positions must be accepted as it is. */
  #acceptsPositions(): boolean {
    const { scratch } = reservedSequences
    const blob = this.#fillers.get(pageCells) as Uint8Array
    const first = this.#context.cells
    setPositions(blob, this.#records, { count: pageCells, first })
    const accepted = this.#context.writeState(scratch, blob)
    const held = this.#read(scratch)
    const removed = this.#context.removeSequence(scratch, 0, -1)
    return accepted && removed && Buffer.compare(held, blob) === 0
  }
}

/** The first cell of a page. */
export function firstCell(page: number): number {
  return reservedCells + page * pageCells
}

/**
 * How many cells a batch that ends in front of `cell` goes beyond a whole number of attention steps:
 * attention over the cells behind the last whole step is paid for by all of the batch.
 */
export function cellsOverStep(cell: number): number {
  return cell % attentionCells
}

/** -1 for cells before the first page. */
function pageOf(cell: number): number {
  return Math.floor((cell - reservedCells) / pageCells)
}

/** State of the same cells, of which recurrent layers know nothing: they have one state for all, which filler must not take. */
function withoutRecurrent(blob: Uint8Array, recurrentBytes: number, unheld: Uint8Array): Uint8Array {
  if (recurrentBytes === 0) return blob
  return Buffer.concat([blob.subarray(0, blob.length - recurrentBytes), unheld])
}

/** Where the records of a state blob of `count` cells begin: at `fixed + count * perCell`. */
interface CellRecords {
  readonly fixed: number
  readonly perCell: number
}

/**
 * Every list of cell records in the blobs of filler: positions ascending from 0. A model with a sliding window has
 * two buffers, and a list for each. None where a list is not where it should be in a blob of another size.
 */
function findRecords(fillers: ReadonlyMap<number, Uint8Array>): readonly CellRecords[] {
  const [large, small] = [pageCells, pageCells / 2]
  const inLarge = listsIn(fillers.get(large) as Uint8Array, large)
  const inSmall = listsIn(fillers.get(small) as Uint8Array, small)
  if (inLarge.length !== inSmall.length) return []
  const found = inLarge.map((at, index) => {
    const perCell = (at - (inSmall[index] as number)) / (large - small)
    return { fixed: at - large * perCell, perCell }
  })
  const fits = (records: CellRecords): boolean =>
    [...fillers].every(([count, blob]) => isListAt(blob, recordsAt(records, count), count))
  return found.every(fits) ? found : []
}

function listsIn(blob: Uint8Array, count: number): readonly number[] {
  const lists: number[] = []
  for (let at = 0; at + count * cellRecordBytes <= blob.byteLength; at += 4) {
    if (isListAt(blob, at, count)) lists.push(at)
  }
  return lists
}

function isListAt(blob: Uint8Array, at: number, count: number): boolean {
  if (!Number.isInteger(at) || at < 0 || at + count * cellRecordBytes > blob.byteLength) return false
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  for (let cell = 0; cell < count; cell++) {
    const record = at + cell * cellRecordBytes
    if (view.getInt32(record, true) !== cell || view.getInt32(record + 4, true) !== 1) return false
  }
  return true
}

function recordsAt({ fixed, perCell }: CellRecords, count: number): number {
  return fixed + count * perCell
}

function setPositions(
  blob: Uint8Array,
  lists: readonly CellRecords[],
  cells: { readonly count: number; readonly first: number },
): void {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  for (const list of lists) {
    const at = recordsAt(list, cells.count)
    for (let cell = 0; cell < cells.count; cell++) {
      view.setInt32(at + cell * cellRecordBytes, cells.first + cell, true)
    }
  }
}
