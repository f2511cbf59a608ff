import type { Context } from '../native/contract.ts'
import { blockKeys } from './block-key.ts'
import type { CellRun } from './cell-arena.ts'
import { leastPiece } from './checkpoint/turn-ends.ts'
import type { CheckpointStore, FoundCheckpoint } from './checkpoint/checkpoint-store.ts'
import type { DiskTier } from './disk/disk-tier.ts'
import type { PinFile } from './disk/pin-file.ts'
import { CellArena, pageCells } from './cell-arena.ts'
import type { PromptPin } from '../schedule/request.ts'
import { HotSet } from './hot-set.ts'
import { LeaseFiller } from './lease-filler.ts'
import type { Lease, LeaseRequest, RequestEnd } from './lease.ts'
import { PageHolders, cellRuns, joinPages, pagesFor } from './page-table.ts'
import type { FoundPrefix } from './prefix-finder.ts'
import { PrefixFinder, nothingFound, sharedTokens } from './prefix-finder.ts'
import { PrefixTree } from './prefix-tree.ts'
import { PinBook } from './pin-book.ts'
import { RamTier } from './ram-tier.ts'

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
  /** Keeps pins over restarts; `undefined` = nothing does. */
  readonly pinFile?: PinFile | undefined
  /** What the block of this number costs to compute, as the policy takes it; all the same where it is left out. */
  readonly weightOf?: ((depth: number) => number) | undefined
  /**
   * Most cells of cached prefixes that stay in the KV buffer beside a new request that does not share
   * them: attention passes over every cell below the highest used one, so each slows every request.
   */
  readonly hotCells: number
  /** For models whose state cannot be cut: where they are reused instead of the KV buffer and its blocks. */
  readonly checkpoints?: CheckpointStore | undefined
  /** False where tokens have no cells: in a recurrent model without attention. */
  readonly placesCells?: boolean | undefined
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
  readonly #hot: HotSet
  readonly #running = new Map<number, Lease>()
  readonly #runningPages: PageHolders
  readonly #finder: PrefixFinder
  readonly #filler: LeaseFiller

  constructor(options: KvCacheOptions) {
    const { context } = options
    this.#options = options
    this.arena = new CellArena(context)
    const { modelHash, ramBytes: capacityBytes, disk, weightOf } = options
    const { stateFormat } = context
    this.ram = new RamTier({ context, modelHash, capacityBytes, disk, weightOf })
    this.pins = new PinBook({
      keysOf: (scope, tokens, blocks) => blockKeys({ modelHash, stateFormat, scope }, tokens, blocks),
      tiers: this.ram.pins(),
      file: options.pinFile,
    })
    this.#runningPages = new PageHolders(this.arena.pages)
    const { tree, ram, arena, pins } = this
    this.#hot = new HotSet({ context, sequences: options.sequences, arena, tree, ram, pins })
    this.#finder = new PrefixFinder({ context, tree, ram, minCachedTokens: options.minCachedTokens })
    this.#filler = new LeaseFiller({ context, arena, ram })
  }

  /** Needed once, before anything else, on an empty context. */
  async start(): Promise<void> {
    if (this.#options.uncacheable === undefined && this.#options.placesCells !== false) await this.arena.start()
  }

  /** Why nothing is reused here; `undefined` = the cache works. */
  get disabled(): string | undefined {
    if (this.#options.uncacheable !== undefined) return this.#options.uncacheable
    return this.arena.placing || this.#options.placesCells === false
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
    return this.#hot.evictedTokens
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
    if (match === undefined) return this.#startWith(request, found)
    this.tree.pin(match.leaf)
    this.tree.pin(match.node)
    const lease = this.#startWith(request, found)
    this.tree.unpin(match.leaf)
    if (lease !== undefined) return lease
    this.tree.unpin(match.node)
    // No room above the shared pages: give the hot prefix up, and have it further down.
    return this.#startWith(request, this.#finder.withoutHot(request.scope, request.tokens, match))
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
    const more = this.#hot.allocate(count, lease.pages.at(-1) ?? -1)
    if (more === undefined) return false
    this.#runningPages.add(more)
    lease.pages = joinPages(lease.pages, more)
    this.#hot.hold(lease.sequence, lease.pages)
    return true
  }

  /** Gives the room of a lease back that lies behind its first `tokens` tokens. */
  trim(lease: Lease, tokens: number): void {
    const kept = pagesFor(tokens)
    if (kept >= lease.pages.length) return
    this.#runningPages.remove(lease.pages.subarray(kept))
    this.#hot.cut(lease.sequence, tokens)
    lease.pages = this.#hot.pages(lease.sequence)
  }

  /** Makes the first `count` of `tokens`, evaluated by now, available to others. */
  publish(lease: Lease, tokens: Int32Array, count: number): void {
    // The state is worth saving where a prompt or an answer ends, not in between: see `stops`.
    if (!lease.stores || lease.forgotten || count === 0 || this.wholeStates) return
    const { node, displaced } = this.tree.insert(lease.scope, tokens, count, lease.sequence)
    this.tree.pin(node)
    if (lease.pinned !== undefined) this.tree.unpin(lease.pinned)
    lease.pinned = node
    if (displaced !== undefined && !this.#running.has(displaced)) this.#hot.free(displaced)
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

  /**
   * Takes a lease back of which the first `count` of `tokens` are evaluated: they stay for others.
   * @param end what its request was; `undefined` where that goes on later, and so has not ended
   */
  release(lease: Lease, tokens: Int32Array, count: number, end: RequestEnd | undefined): void {
    this.publish(lease, tokens, count)
    if (lease.pinned !== undefined) this.tree.unpin(lease.pinned)
    if (end !== undefined && lease.stores && !lease.forgotten && !this.wholeStates) {
      this.ram.use({ scope: lease.scope, prompt: tokens.subarray(0, end.promptTokens), turnOver: end.turnOver })
    }
    this.#running.delete(lease.sequence)
    this.#runningPages.remove(lease.pages)
    if (!this.tree.owns(lease.sequence)) return this.#hot.free(lease.sequence)
    this.#hot.cut(lease.sequence, count)
    this.ram.saveLater(lease.scope, tokens, count)
  }

  /** Ends a request that goes on later under this id: what only its own state can go on with exactly is put aside. */
  suspend(id: string, lease: Lease, tokens: Int32Array, count: number): void {
    const { scope, sequence } = lease
    this.#options.checkpoints?.putAside(id, { scope, tokens, sequence }, count)
    this.release(lease, tokens, count, undefined)
  }

  /** A unit of work behind the requests: saves one block to RAM. False when nothing is left to do. */
  work(): boolean {
    return this.ram.work(this.tree)
  }

  /** Drops every cached prefix whose scope begins with `scopePrefix`; running requests go on, unkept. */
  reset(scopePrefix: string): CacheReset {
    const hot = this.tree.reset(scopePrefix)
    for (const sequence of hot.sequences) if (!this.#running.has(sequence)) this.#hot.free(sequence)
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
    this.#hot.shrink(tokens)
  }

  #findWhole(scope: string, tokens: Int32Array): FoundCheckpoint | undefined {
    if (this.disabled !== undefined) return undefined
    const found = this.#options.checkpoints?.find(scope, tokens, tokens.length - leastPiece)
    return found !== undefined && found.length >= this.#options.minCachedTokens ? found : undefined
  }

  #acquireWhole(request: LeaseRequest): Lease | undefined {
    const { checkpoints } = this.#options
    const lease = this.#start(request, nothingFound)
    if (lease === undefined || checkpoints === undefined) return lease
    const aside = request.resumes === undefined ? undefined : checkpoints.findAside(request.resumes)
    const found = aside ?? (request.prefixCache === 'off' ? undefined : this.#findWhole(request.scope, request.tokens))
    if (found === undefined) return lease
    const cells = this.runs(lease, 0, found.length)
    this.arena.open(cells)
    const tier = checkpoints.restore(found, request.tokens, lease.sequence)
    if (tier !== undefined) lease.cached = { ...lease.cached, [tier]: found.length }
    else for (const run of cells.toReversed()) this.arena.closeRun(run)
    return lease
  }

  #find({ scope, tokens, prefixCache }: LeaseRequest, peek: boolean): FoundPrefix {
    if (prefixCache === 'off' || this.disabled !== undefined) return nothingFound
    return this.#finder.find(scope, tokens, peek)
  }

  /** What was found stays until it is brought in, whatever goes to make room. */
  #startWith(request: LeaseRequest, found: FoundPrefix): Lease | undefined {
    const letGo = this.ram.hold(found.ram)
    try {
      return this.#start(request, found)
    } finally {
      letGo()
    }
  }

  /** Everything that can fail for want of room comes before anything that is visible. */
  #start(request: LeaseRequest, found: FoundPrefix): Lease | undefined {
    const { match } = found
    const base = sharedTokens(found)
    const shared =
      base === 0 || match === undefined ? noPages : this.#hot.pages(match.leaf.sequence).slice(0, base / pageCells)
    const count = pagesFor(request.reserveTokens) - shared.length
    const unusable = this.#runningPages.pages + this.#runningPages.countUnheld(shared)
    if (count > this.arena.pages - unusable) return undefined
    this.#keepHotSetSmall(shared)
    const sequence = this.#hot.takeSequence()
    if (sequence === undefined) return undefined
    const fresh = this.#hot.allocate(count, shared.at(-1) ?? -1)
    if (fresh === undefined) {
      this.#hot.giveSequence(sequence)
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
    this.#hot.hold(sequence, lease.pages)
    this.#running.set(sequence, lease)
    this.#runningPages.add(lease.pages)
    lease.cached = this.#filler.bring(lease, found)
    if (match !== undefined && lease.cached.hot > 0) this.tree.countHit(match)
    return lease
  }

  /** Cells of others only slow a request down: cached ones beyond the bound go, oldest leaf first. */
  #keepHotSetSmall(shared: Int32Array): void {
    const running = this.#runningPages.pages + this.#runningPages.countUnheld(shared)
    this.#hot.keepSmall(running + Math.floor(this.#options.hotCells / pageCells))
  }
}

const noPages = new Int32Array(0)
