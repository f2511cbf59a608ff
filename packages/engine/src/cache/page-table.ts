import type { CellRun } from './cell-arena.ts'
import { firstCell, pageCells } from './cell-arena.ts'

/**
 * The cells of positions `[start, end)` of a sequence with these pages, as runs of neighbours in
 * ascending order.
 */
export function cellRuns(pages: Int32Array, start: number, end: number): readonly CellRun[] {
  const runs: { start: number; end: number }[] = []
  for (let at = start; at < end;) {
    const page = pages[Math.floor(at / pageCells)] as number
    const cell = firstCell(page) + (at % pageCells)
    const length = Math.min(pageCells - (at % pageCells), end - at)
    const last = runs.at(-1)
    if (last?.end === cell) last.end += length
    else runs.push({ start: cell, end: cell + length })
    at += length
  }
  return runs
}

/** Pages that `tokens` tokens take. */
export function pagesFor(tokens: number): number {
  return Math.ceil(tokens / pageCells)
}

/** @example joinPages(shared, fresh) */
export function joinPages(left: Int32Array, right: Int32Array): Int32Array {
  const all = new Int32Array(left.length + right.length)
  all.set(left)
  all.set(right, left.length)
  return all
}

/** Counts how many holders each page has, and how many pages have any. */
export class PageHolders {
  readonly #holders: Int32Array
  #pages = 0

  constructor(pages: number) {
    this.#holders = new Int32Array(pages)
  }

  /** Pages with at least one holder. */
  get pages(): number {
    return this.#pages
  }

  add(pages: Int32Array): void {
    for (const page of pages) {
      const before = this.#holders[page] as number
      if (before === 0) this.#pages++
      this.#holders[page] = before + 1
    }
  }

  remove(pages: Int32Array): void {
    for (const page of pages) {
      const left = (this.#holders[page] as number) - 1
      if (left === 0) this.#pages--
      this.#holders[page] = left
    }
  }

  /** How many of these pages have no holder. */
  countUnheld(pages: Int32Array): number {
    let count = 0
    for (const page of pages) if (this.#holders[page] === 0) count++
    return count
  }
}
