import type { Context } from '../native/contract.ts'
import { blockTokens } from './block-key.ts'
import type { CellArena } from './cell-arena.ts'
import { reservedSequences } from './cell-arena.ts'
import type { CachedTokens, Lease } from './lease.ts'
import { cellRuns } from './page-table.ts'
import type { FoundPrefix } from './prefix-finder.ts'
import { sharedTokens } from './prefix-finder.ts'
import type { PrefixMatch } from './prefix-tree.ts'
import type { RamBlocks, RamTier } from './ram-tier.ts'

/** Brings the state that was found for a prompt into the cells of its lease. */
export class LeaseFiller {
  readonly #context: Context
  readonly #arena: CellArena
  readonly #ram: RamTier
  #tail = new Uint8Array(0)

  constructor(parts: { readonly context: Context; readonly arena: CellArena; readonly ram: RamTier }) {
    this.#context = parts.context
    this.#arena = parts.arena
    this.#ram = parts.ram
  }

  /** @returns the tokens that came from each tier: less than was found where blocks went or are damaged */
  bring(lease: Lease, found: FoundPrefix): CachedTokens {
    const { match, ram } = found
    const base = sharedTokens(found)
    if (match !== undefined && base > 0) this.#context.copySequence(match.leaf.sequence, lease.sequence, 0, base)
    if (ram !== undefined) return { hot: base, ...this.#restore(lease, ram, found.length) }
    if (match !== undefined && match.length > base) this.#copyTail(lease, match, base)
    return { hot: match?.length ?? 0, ram: 0, disk: 0 }
  }

  /** A prefix that ends within a page continues in a page of its own, at the same place in it. */
  #copyTail(lease: Lease, match: PrefixMatch, start: number): void {
    const { scratch } = reservedSequences
    this.#context.copySequence(match.leaf.sequence, scratch, start, match.length)
    const bytes = this.#context.stateBytes(scratch)
    if (this.#tail.length < bytes) this.#tail = new Uint8Array(bytes)
    this.#context.readState(scratch, this.#tail)
    this.#context.removeSequence(scratch, 0, -1)
    this.#arena.open(cellRuns(lease.pages, start, match.length))
    // Room was made and the state is this context's own: a refusal is a broken invariant.
    if (!this.#put(lease, { start, end: match.length, state: this.#tail.subarray(0, bytes) })) {
      throw new Error(`state of ${bytes} bytes was refused`)
    }
    this.#context.removeSequence(scratch, 0, -1)
  }

  /** Block after block, each read just before it is brought. */
  #restore(lease: Lease, ram: RamBlocks, length: number): Omit<CachedTokens, 'hot'> {
    const base = ram.first * blockTokens
    const expected = ram.end * blockTokens
    this.#arena.open(cellRuns(lease.pages, base, expected))
    const restored = { ram: 0, disk: 0 }
    let at = base
    for (let block = ram.first; block < ram.end; block++) {
      const saved = this.#ram.state(ram, block)
      if (saved === undefined) break
      const end = Math.min(at + blockTokens, length)
      if (!this.#put(lease, { start: at, end, state: saved.state })) break
      restored[saved.tier] += end - at
      at = end
    }
    this.#context.removeSequence(reservedSequences.scratch, 0, -1)
    for (const run of cellRuns(lease.pages, at, expected).toReversed()) this.#arena.closeRun(run)
    return restored
  }

  /** Puts saved state into the lowest empty cells; positions from `end` on are left out. False where it is refused. */
  #put(lease: Lease, saved: { readonly start: number; readonly end: number; readonly state: Uint8Array }): boolean {
    const { scratch } = reservedSequences
    if (!this.#context.writeState(scratch, saved.state)) return false
    this.#context.copySequence(scratch, lease.sequence, saved.start, saved.end)
    return true
  }
}
