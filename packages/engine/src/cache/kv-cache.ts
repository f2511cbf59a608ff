import type { Context } from '../native/contract.ts'
import { blockKeys, blockTokens } from './block-key.ts'
import type { CellRun } from './cell-arena.ts'
import type { CheckpointStore, FoundCheckpoint } from './checkpoint/checkpoint-store.ts'
import type { DiskTier } from './disk/disk-tier.ts'
import { CellArena, pageCells, reservedSequences } from './cell-arena.ts'
import type { PromptPin } from '../schedule/request.ts'
import type { Lease, LeaseRequest } from './lease.ts'
import { PageHolders, cellRuns, joinPages, pagesFor } from './page-table.ts'
import { PrefixTree } from './prefix-tree.ts'
import type { PrefixMatch, PrefixNode } from './prefix-tree.ts'
import { PinBook } from './pin-book.ts'
import { RamTier } from './ram-tier.ts'
import type { RamBlocks } from './ram-tier.ts'
import { SequenceIds } from './sequence-ids.ts'

export interface KvCacheOptions {
  readonly context: Context
  /** Sequence ids of the context. */
  readonly sequences: number
  /** SHA-256 of the model file: another model is another cache (P-5). */
  readonly modelHash: string
  /** Below this many shared tokens nothing is reused. */
  readonly minCachedTokens: number
  /** Budget of the RAM tier; 0 = none. */
  readonly ramBytes: number
  /** Keeps blocks beyond RAM and restarts; `undefined` = nothing does. */
  readonly disk?: DiskTier | undefined
  /**
   * Most cells of cached prefixes that stay in the KV buffer beside a new request that does not share
   * them: attention passes over every cell below the highest used one, so each slows every request.
   */
  readonly hotCells: number
  /** For models whose state cannot be cut: where they are reused instead of the KV buffer and its blocks. */
  readonly checkpoints?: CheckpointStore | undefined
  /** Why the state of this model cannot be reused; `undefined` = it can. */
  readonly uncacheable: string | undefined
}

/** How much a reset dropped. */
export interface CacheReset {
  readonly hotTokens: number
  readonly ramTokens: number
  readonly diskTokens: number
  readonly bytes: number
}

/** What a prompt can reuse. */
interface Found {
  readonly match: PrefixMatch | undefined
  readonly ram: RamBlocks | undefined
  readonly length: number
}

const nothing: Found = { match: undefined, ram: undefined, length: 0 }

/**
 * The prefix cache of one context: live KV cells found by exact tokens, continued by blocks from RAM.
 * Never call it while the context decodes.
 */
export class KvCache {
  readonly arena: CellArena
  readonly tree: PrefixTree = new PrefixTree()
  readonly ram: RamTier
  /** Prefixes that clients asked to keep. */
  readonly pins: PinBook
  readonly #options: KvCacheOptions
  readonly #context: Context
  readonly #ids: SequenceIds
  readonly #pagesOf = new Map<number, Int32Array>()
  readonly #running = new Map<number, Lease>()
  readonly #runningPages: PageHolders
  #tail = new Uint8Array(0)
  #evictedTokens = 0

  constructor(options: KvCacheOptions) {
    const { context } = options
    this.#options = options
    this.#context = context
    this.arena = new CellArena(context)
    const { modelHash, ramBytes: capacityBytes, disk } = options
    const { stateFormat } = context
    this.pins = new PinBook({
      keysOf: (scope, tokens, blocks) => blockKeys({ modelHash, stateFormat, scope }, tokens, blocks),
    })
    this.ram = new RamTier({ context, modelHash, capacityBytes, disk, keeper: this.pins })
    this.#ids = new SequenceIds(reservedSequences.count, options.sequences)
    this.#runningPages = new PageHolders(this.arena.pages)
  }

  /** Needed once, before anything else, on an empty context. */
  async start(): Promise<void> {
    if (this.#options.uncacheable === undefined && !this.wholeStates) await this.arena.start()
  }

  /** Why nothing is reused here; `undefined` = the cache works. */
  get disabled(): string | undefined {
    if (this.#options.uncacheable !== undefined) return this.#options.uncacheable
    return this.arena.placing || this.wholeStates
      ? undefined
      : 'the state of this model has a form that cannot be placed'
  }

  /** State is reused whole, at the positions where it was saved: batches then hold one prompt, or answers only. */
  get wholeStates(): boolean {
    return this.#options.checkpoints !== undefined
  }

  get checkpoints(): CheckpointStore | undefined {
    return this.#options.checkpoints
  }

  /** Positions of a prompt where its evaluation is to stop for `checkpoint`, ascending. */
  stops(tokens: Int32Array): readonly number[] {
    return this.#options.checkpoints?.stops(tokens, this.#options.minCachedTokens) ?? []
  }

  /** Tokens evicted from the KV buffer since the start. */
  get evictedTokens(): number {
    return this.#evictedTokens
  }

  /** Tokens whose cells running requests hold, or have kept for themselves. */
  get heldTokens(): number {
    return this.#runningPages.pages * pageCells
  }

  /** The longest sequence this buffer can hold. */
  get maxTokens(): number {
    return this.arena.pages * pageCells
  }

  /** How many tokens a prompt would reuse now. Changes nothing. */
  find(scope: string, tokens: Int32Array): number {
    if (this.wholeStates) return this.#findWhole(scope, tokens)?.length ?? 0
    return this.#find({ scope, tokens, reserveTokens: tokens.length, prefixCache: 'on' }, true).length
  }

  /**
   * Starts a request: takes a sequence, shares and restores the longest cached prefix into it, and
   * reserves cells. Evicts cached leaves where that makes room.
   * @returns `undefined` when running requests leave no room: ask again when one has ended
   */
  acquire(request: LeaseRequest): Lease | undefined {
    if (this.wholeStates) return this.#acquireWhole(request)
    const found = this.#find(request, false)
    const { match } = found
    if (match === undefined) return this.#start(request, found)
    this.tree.pin(match.leaf)
    this.tree.pin(match.node)
    const lease = this.#start(request, found)
    this.tree.unpin(match.leaf)
    if (lease !== undefined) return lease
    this.tree.unpin(match.node)
    // No room above the shared pages: give the hot prefix up, and have it further down.
    return this.#start(request, this.#withoutHot(request, match))
  }

  /** The cells of positions `[start, end)` of a lease. */
  runs(lease: Lease, start: number, end: number): readonly CellRun[] {
    return cellRuns(lease.pages, start, end)
  }

  /** Room for `tokens` tokens in all; false when running requests leave none now. */
  extend(lease: Lease, tokens: number): boolean {
    const count = pagesFor(tokens) - lease.pages.length
    if (count <= 0) return true
    if (count > this.arena.pages - this.#runningPages.pages) return false
    const more = this.#allocate(count, lease.pages.at(-1) ?? -1)
    if (more === undefined) return false
    this.#runningPages.add(more)
    lease.pages = joinPages(lease.pages, more)
    this.#pagesOf.set(lease.sequence, lease.pages)
    return true
  }

  /** Makes the first `count` of `tokens`, evaluated by now, available to others. */
  publish(lease: Lease, tokens: Int32Array, count: number): void {
    // The state is worth saving where a prompt or an answer ends, not in between: see `stops`.
    if (!lease.stores || lease.forgotten || count === 0 || this.wholeStates) return
    const { node, displaced } = this.tree.insert(lease.scope, tokens, count, lease.sequence)
    this.tree.pin(node)
    if (lease.pinned !== undefined) this.tree.unpin(lease.pinned)
    lease.pinned = node
    if (displaced !== undefined && !this.#running.has(displaced)) this.#free(displaced)
  }

  /** Saves the state behind exactly the first `count` of `tokens`. */
  checkpoint(lease: Lease, tokens: Int32Array, count: number): void {
    if (!lease.stores || lease.forgotten || count < this.#options.minCachedTokens) return
    this.#options.checkpoints?.save({ scope: lease.scope, tokens, sequence: lease.sequence }, count)
  }

  /** A prompt was evaluated: pins that it begins with are read, and what it asks for is pinned. */
  keep(scope: string, prompt: Int32Array, pins: readonly PromptPin[]): void {
    this.pins.use(scope, prompt)
    for (const { tokens, ...pin } of pins) {
      if (tokens > 0) this.pins.add({ ...pin, scope, tokens: prompt.slice(0, tokens) })
    }
  }

  /** Ends a request whose first `count` of `tokens` are evaluated: they stay for others. */
  release(lease: Lease, tokens: Int32Array, count: number): void {
    this.publish(lease, tokens, count)
    this.checkpoint(lease, tokens, count)
    if (lease.pinned !== undefined) this.tree.unpin(lease.pinned)
    this.#running.delete(lease.sequence)
    this.#runningPages.remove(lease.pages)
    if (!this.tree.owns(lease.sequence)) return this.#free(lease.sequence)
    this.#cut(lease.sequence, count)
    this.ram.saveLater(lease.scope, tokens, count)
  }

  /** A unit of work behind the requests: saves one block to RAM. False when nothing is left to do. */
  work(): boolean {
    return this.ram.work(this.tree)
  }

  /** Drops every cached prefix whose scope begins with `scopePrefix`; running requests go on, unkept. */
  reset(scopePrefix: string): CacheReset {
    const hot = this.tree.reset(scopePrefix)
    for (const sequence of hot.sequences) if (!this.#running.has(sequence)) this.#free(sequence)
    for (const lease of this.#running.values()) {
      if (!lease.scope.startsWith(scopePrefix)) continue
      lease.forgotten = true
      lease.pinned = undefined
    }
    this.pins.reset(scopePrefix)
    const ram = (this.#options.checkpoints ?? this.ram).reset(scopePrefix)
    return { hotTokens: hot.tokens, ramTokens: ram.tokens, diskTokens: ram.diskTokens, bytes: ram.bytes }
  }

  /** Evicts cached leaves, oldest first, until at most `tokens` tokens are cached in the KV buffer. */
  shrink(tokens: number): void {
    for (let over = this.tree.cells - tokens; over > 0; over = this.tree.cells - tokens) {
      const victim = this.#victim()
      if (victim === undefined) return
      this.#evict(victim, victim.end - over)
    }
  }

  #findWhole(scope: string, tokens: Int32Array): FoundCheckpoint | undefined {
    const found = this.#options.checkpoints?.find(scope, tokens, tokens.length - 1)
    return found !== undefined && found.length >= this.#options.minCachedTokens ? found : undefined
  }

  #acquireWhole(request: LeaseRequest): Lease | undefined {
    const lease = this.#start(request, nothing)
    if (lease === undefined || request.prefixCache === 'off') return lease
    const found = this.#findWhole(request.scope, request.tokens)
    const tier = found && this.#options.checkpoints?.restore(found, request.tokens, lease.sequence)
    if (found !== undefined && tier !== undefined) lease.cached = { ...lease.cached, [tier]: found.length }
    return lease
  }

  #find(request: LeaseRequest, peek: boolean): Found {
    const { scope, tokens } = request
    if (request.prefixCache === 'off' || this.disabled !== undefined) return nothing
    // The last prompt token is always evaluated: its logits are what generation starts from.
    const limit = tokens.length - 1
    const match = this.#whole(this.tree.match(scope, tokens, { limit, peek }))
    const hot = match?.length ?? 0
    const ram = this.ram.find(scope, tokens, { hot, peek })
    const length = Math.min(ram.tokens, limit)
    if (Math.max(hot, length) < this.#options.minCachedTokens) return nothing
    if (length > hot) return { match, ram, length }
    return { match, ram: undefined, length: hot }
  }

  /** A prefix whose beginning the buffer has lost, as sliding windows do, would give other logits: it is not used. */
  #whole(match: PrefixMatch | undefined): PrefixMatch | undefined {
    if (match === undefined) return undefined
    const { first, last } = this.#context.sequenceRange(match.leaf.sequence)
    return first === 0 && last >= match.length - 1 ? match : undefined
  }

  #withoutHot(request: LeaseRequest, match: PrefixMatch): Found {
    const { scope, tokens } = request
    this.ram.saveNow({ scope, tokens, sequence: match.leaf.sequence }, match.length)
    const ram = this.ram.find(scope, tokens, { hot: 0, peek: false })
    const length = Math.min(ram.tokens, tokens.length - 1)
    return length < this.#options.minCachedTokens || length === 0 ? nothing : { match: undefined, ram, length }
  }

  /** Everything that can fail for want of room comes before anything that is visible. */
  #start(request: LeaseRequest, found: Found): Lease | undefined {
    const { match } = found
    const base = sharedTokens(found)
    const shared =
      base === 0 || match === undefined ? noPages : this.#pages(match.leaf.sequence).slice(0, base / pageCells)
    const count = pagesFor(request.reserveTokens) - shared.length
    const unusable = this.#runningPages.pages + this.#runningPages.countUnheld(shared)
    if (count > this.arena.pages - unusable) return undefined
    this.#keepHotSetSmall(shared)
    const sequence = this.#takeSequence()
    if (sequence === undefined) return undefined
    const fresh = this.#allocate(count, shared.at(-1) ?? -1)
    if (fresh === undefined) {
      this.#ids.give(sequence)
      return undefined
    }
    this.arena.retain(shared)
    const lease: Lease = {
      sequence,
      scope: request.scope,
      stores: request.prefixCache === 'on' && this.disabled === undefined,
      cached: { hot: 0, ram: 0, disk: 0 },
      pages: joinPages(shared, fresh),
      pinned: match?.node,
      forgotten: false,
    }
    this.#pagesOf.set(sequence, lease.pages)
    this.#running.set(sequence, lease)
    this.#runningPages.add(lease.pages)
    lease.cached = this.#fill(lease, found, base)
    if (match !== undefined && lease.cached.hot > 0) this.tree.countHit(match)
    return lease
  }

  /** Cells of others only slow a request down: cached ones beyond the bound go, oldest leaf first. */
  #keepHotSetSmall(shared: Int32Array): void {
    const running = this.#runningPages.pages + this.#runningPages.countUnheld(shared)
    const bound = running + Math.floor(this.#options.hotCells / pageCells)
    while (this.arena.pages - this.arena.freePages > bound) {
      const victim = this.#victim()
      if (victim === undefined) return
      this.#evict(victim, 0)
    }
  }

  /** Brings the reused state into the sequence of a lease. */
  #fill(lease: Lease, found: Found, base: number): Lease['cached'] {
    const { match, ram } = found
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
    this.arena.open(this.runs(lease, start, match.length))
    // Room was made and the state is this context's own: a refusal is a broken invariant.
    if (!this.#bring(lease, { start, end: match.length, state: this.#tail.subarray(0, bytes) })) {
      throw new Error(`state of ${bytes} bytes was refused`)
    }
    this.#context.removeSequence(scratch, 0, -1)
  }

  /** Block after block, each read just before it is brought. @returns the tokens that came from each tier */
  #restore(lease: Lease, ram: RamBlocks, length: number): { readonly ram: number; readonly disk: number } {
    const base = ram.first * blockTokens
    const expected = ram.end * blockTokens
    this.arena.open(this.runs(lease, base, expected))
    const restored = { ram: 0, disk: 0 }
    let at = base
    for (let block = ram.first; block < ram.end; block++) {
      const saved = this.ram.state(ram, block)
      if (saved === undefined) break
      const end = Math.min(at + blockTokens, length)
      if (!this.#bring(lease, { start: at, end, state: saved.state })) break
      restored[saved.tier] += end - at
      at = end
    }
    this.#context.removeSequence(reservedSequences.scratch, 0, -1)
    for (const run of this.runs(lease, at, expected).toReversed()) this.arena.closeRun(run)
    return restored
  }

  /** Puts saved state into the lowest empty cells; positions from `end` on are left out. False where it is refused. */
  #bring(lease: Lease, saved: { readonly start: number; readonly end: number; readonly state: Uint8Array }): boolean {
    const { scratch } = reservedSequences
    if (!this.#context.writeState(scratch, saved.state)) return false
    this.#context.copySequence(scratch, lease.sequence, saved.start, saved.end)
    return true
  }

  #takeSequence(): number | undefined {
    for (;;) {
      const id = this.#ids.take()
      if (id !== undefined) return id
      const victim = this.#victim()
      if (victim === undefined) return undefined
      this.#evict(victim, 0)
    }
  }

  #allocate(count: number, above: number): Int32Array | undefined {
    for (;;) {
      const pages = this.arena.allocate(count, above)
      if (pages !== undefined) return pages
      const victim = this.#victim()
      if (victim === undefined) return undefined
      // Enough pages are free, but too far down: then a whole leaf goes, not page after page.
      const missing = count - this.arena.freePages
      this.#evict(victim, missing > 0 ? (pagesFor(victim.end) - missing) * pageCells : 0)
    }
  }

  /** The leaf to evict. What is pinned goes behind all others, where no other tier would have it (P-7). */
  #victim(): PrefixNode | undefined {
    if (this.ram.enabled || this.pins.size === 0) return this.tree.victim()
    this.pins.limit(Math.floor(this.maxTokens / 2 / blockTokens))
    const kept = this.pins.list().map(({ scope, tokens }) => {
      const match = this.tree.match(scope, tokens, { limit: tokens.length, peek: true })
      return match?.length === tokens.length ? match.node : undefined
    })
    return this.tree.victim(new Set(kept.filter((node) => node !== undefined))) ?? this.tree.victim()
  }

  /** Evicts a leaf, or what of it lies behind position `wanted`. */
  #evict(victim: PrefixNode, wanted: number): void {
    const { scope, sequence, end } = victim
    if (this.ram.enabled) this.ram.saveNow({ scope, tokens: this.tree.path(victim), sequence }, end)
    const keepFrom = Math.max(0, wanted - (wanted % pageCells))
    const { keep, freed } = this.tree.evict(victim, keepFrom)
    this.#evictedTokens += freed
    if (keep === 0) this.#free(sequence)
    else this.#cut(sequence, keep)
  }

  /** Drops the pages of a sequence behind the one that position `keep - 1` is in. */
  #cut(sequence: number, keep: number): void {
    const pages = this.#pages(sequence)
    const kept = pagesFor(keep)
    if (kept >= pages.length) return
    this.#context.removeSequence(sequence, kept * pageCells, -1)
    this.#pagesOf.set(sequence, pages.slice(0, kept))
    this.arena.release(pages.subarray(kept))
  }

  #free(sequence: number): void {
    this.#context.removeSequence(sequence, 0, -1)
    this.arena.release(this.#pages(sequence))
    this.#pagesOf.delete(sequence)
    this.#ids.give(sequence)
  }

  #pages(sequence: number): Int32Array {
    const pages = this.#pagesOf.get(sequence)
    if (pages === undefined) throw new Error(`sequence ${sequence} holds no pages`)
    return pages
  }
}

const noPages = new Int32Array(0)

/** Tokens taken by reference: whole pages, and before a block from RAM, which is restored whole, whole blocks. */
function sharedTokens({ match, ram }: Found): number {
  const hot = match?.length ?? 0
  return ram === undefined ? hot - (hot % pageCells) : ram.first * blockTokens
}
