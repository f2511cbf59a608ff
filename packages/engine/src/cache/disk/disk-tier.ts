import { basename, join } from 'node:path'
import type { ChainUse } from '@incipit/core'
import { blockTokens } from '../block-key.ts'
import type { BlockView, NewBlock, ShelfOptions, ShelvedBlock } from '../block-shelf.ts'
import { BlockShelf } from '../block-shelf.ts'
import type { PartialBlock } from '../child-index.ts'
import type { PinnedBlocks } from '../pinned-blocks.ts'
import type { DiskIdentity } from './disk-format.ts'
import { folderOf, readFormat, writeFormat } from './disk-format.ts'
import type { DiskJob, PendingJob } from './disk-writer.ts'
import { DiskWriter } from './disk-writer.ts'
import type { FileLock } from './file-lock.ts'
import { lockFile } from './file-lock.ts'
import { makeStoreFolder } from './store-folder.ts'
import { sortSlots } from './found-slots.ts'
import { SlotFiles } from './slot-files.ts'
import { headerBytes } from './slot-header.ts'

export interface DiskTierOptions extends DiskIdentity, ShelfOptions {
  /** Holds a folder for each identity. */
  readonly directory: string
  readonly capacityBytes: number
  /** Called before it takes more of the disk. */
  readonly makeRoom?: ((bytes: number) => void) | undefined
}

/** What happened since the start. */
export interface DiskCounters {
  /** Blocks found at the start and kept. */
  readonly restored: number
  /** Blocks that were damaged, torn or out of place, and were dropped. */
  readonly discarded: number
  readonly written: number
  readonly read: number
  readonly evicted: number
  readonly failedWrites: number
}

const mostNotedUses = 1_024

/**
 * KV state of full blocks in files: survives restarts. Written behind the requests, found by the same keys as in RAM,
 * and dropped by the same policy. What is damaged is dropped and counted, never used.
 */
export class DiskTier {
  readonly capacityBytes: number
  readonly directory: string
  readonly #now: () => number
  readonly #makeRoom: (bytes: number) => void
  readonly #lock: FileLock
  readonly #shelf: BlockShelf<number>
  readonly #writer: DiskWriter
  /** Blocks whose last use is not in their headers yet. */
  readonly #used = new Set<string>()
  #files: SlotFiles | undefined
  #freeSlots: number[] = []
  #slots = 0
  #staging = new Uint8Array(0)
  #counters = { restored: 0, discarded: 0, written: 0, read: 0 }

  private constructor(options: DiskTierOptions, directory: string, lock: FileLock) {
    this.capacityBytes = options.capacityBytes
    this.directory = directory
    this.#now = options.now
    this.#makeRoom = options.makeRoom ?? (() => undefined)
    this.#lock = lock
    this.#shelf = new BlockShelf(options)
    const target = {
      has: (key: string) => this.has(key),
      write: (job: PendingJob, block: number, state: Uint8Array) => this.#write(job, block, state),
      idle: () => this.#noteUses(),
    }
    this.#writer = new DiskWriter(target, options.now)
  }

  /**
   * Opens the blocks of an identity, and drops what is not whole.
   * @returns the reason where another process has them
   * @throws Error of the system when the folder cannot be used
   */
  static async open(options: DiskTierOptions): Promise<DiskTier | string> {
    const directory = join(options.directory, folderOf(options))
    makeStoreFolder(directory)
    const lock = lockFile(join(directory, 'lock'))
    if (lock === undefined) return `${directory} is in use by another process`
    const tier = new DiskTier(options, directory, lock)
    try {
      await tier.#restore()
    } catch (error) {
      lock.release()
      throw error
    }
    return tier
  }

  /** Name of its folder. */
  get store(): string {
    return basename(this.directory)
  }

  get counters(): DiskCounters {
    return { ...this.#counters, evicted: this.#shelf.evicted, failedWrites: this.#writer.failed }
  }

  get blocks(): number {
    return this.#shelf.size
  }

  /** Bytes of the state of one block; `undefined` while there is none. */
  get slotBytes(): number | undefined {
    return this.#files?.slotBytes
  }

  /** Bytes that the blocks take. */
  get bytes(): number {
    return this.#shelf.size * this.#bytesPerBlock
  }

  /** Memory of what decides which block goes. */
  get policyBytes(): number {
    return this.#shelf.policyBytes
  }

  /** Bytes that its files take on disk, free slots included. */
  get occupiedBytes(): number {
    return this.#files?.occupiedBytes ?? 0
  }

  has(key: string): boolean {
    return this.#shelf.has(key)
  }

  /** The block behind `parent` that goes on most like `rest`. */
  closest(parent: string, rest: Int32Array): PartialBlock | undefined {
    return this.#shelf.closest(parent, rest)
  }

  /** Says when answers are being generated: writing makes room for them. */
  yieldTo(busy: () => boolean): void {
    this.#writer.yieldTo(busy)
  }

  /** Reads the state of a block; false where it is not there, or not whole: it is dropped then. */
  read(key: string, target: Uint8Array): boolean {
    const block = this.#shelf.find(key)
    if (block === undefined || this.#files === undefined) return false
    if (readSlot(this.#files, block, target)) {
      this.#counters.read++
      block.hits++
      return true
    }
    this.#counters.discarded++
    this.#free(this.#shelf.forgetFrom(key))
    return false
  }

  /** A request has ended that used these blocks, as far as they are here. */
  use(use: ChainUse<string>): void {
    for (const { key } of this.#shelf.use(use)) this.#used.add(key)
    if (this.#used.size >= mostNotedUses) this.#noteUses()
  }

  /** Keeps those of a chain that are here until the function it returns is called, which is soon. */
  hold(keys: readonly string[]): () => void {
    return this.#shelf.hold(keys)
  }

  /** Pins of one book. */
  pins(): PinnedBlocks {
    return this.#shelf.pins()
  }

  /** All blocks, those used last first, parents before children. */
  lastUsedFirst(): readonly BlockView[] {
    return this.#shelf.lastUsedFirst()
  }

  /** Whether a block that is not here would be written, and stay. */
  wants(key: string, parentKey: string | undefined, depth: number): boolean {
    if (this.has(key) || !this.#writer.accepts) return false
    return this.#files === undefined || this.#freeSlots.length > 0 || this.#shelf.wouldKeep(key, parentKey, depth)
  }

  /** Writes a prefix behind the requests. */
  writeLater(job: DiskJob): void {
    if (!job.keys.every((key) => this.has(key))) this.#writer.add(job)
  }

  /** Drops the blocks of every scope that begins with `scopePrefix`, those under way included. */
  reset(scopePrefix: string): { readonly blocks: number; readonly bytes: number } {
    this.#writer.cancel(scopePrefix)
    const dropped = this.#shelf.reset(scopePrefix)
    this.#free(dropped)
    if (this.#shelf.size === 0 && !this.#writer.working) this.#clear()
    return { blocks: dropped.length, bytes: dropped.length * this.#bytesPerBlock }
  }

  /** Resolves when everything queued is written, or after `ms`. */
  async flush(ms: number): Promise<void> {
    await this.#writer.flush(ms)
  }

  async close(): Promise<void> {
    await this.#writer.close()
    this.#noteUses()
    await this.#files?.close()
    this.#lock.release()
  }

  get #bytesPerBlock(): number {
    return (this.#files?.slotBytes ?? 0) + headerBytes
  }

  async #restore(): Promise<void> {
    const slotBytes = readFormat(this.directory)
    if (slotBytes === undefined) return
    const files = (this.#files = await SlotFiles.open(this.directory, slotBytes))
    this.#setSlots(slotBytes)
    files.cutTo(this.#slots)
    const { slots, broken } = files.scan()
    const { blocks, unreachable } = sortSlots(slots)
    for (const slot of unreachable) files.erase(slot)
    this.#shelf.recall(blocks)
    this.#counters.discarded += broken + unreachable.length
    this.#counters.restored = blocks.length
    const taken = new Set(blocks.map(({ place }) => place))
    this.#freeSlots = this.#freeSlots.filter((slot) => !taken.has(slot))
  }

  async #write(job: PendingJob, block: number, state: Uint8Array): Promise<boolean> {
    // The state may be overwritten while the system writes: a copy is written.
    if (this.#staging.length !== state.length) this.#staging = new Uint8Array(state.length)
    this.#staging.set(state)
    const files = (this.#files ??= await this.#begin(state.length))
    const key = job.keys[block] as string
    const parentKey = block === 0 ? undefined : (job.keys[block - 1] as string)
    const parent = parentKey === undefined ? undefined : this.#shelf.find(parentKey)
    if (files.slotBytes !== state.length || (block > 0 && parent === undefined)) return false
    const tokens = job.tokens.slice(block * blockTokens, (block + 1) * blockTokens)
    const added = { key, parentKey, scope: job.scope, tokens }
    const slot = this.#claimSlot(added)
    if (slot === undefined) return false
    this.#makeRoom(this.#bytesPerBlock)
    let written = false
    try {
      // The parent can go while this is written: where it is damaged, or reset.
      const isWanted = (): boolean =>
        !job.cancelled && (parentKey === undefined || this.#shelf.find(parentKey) === parent)
      written = await files.write(slot, this.#staging, { ...added, usedAt: parent?.usedAt ?? this.#now() }, isWanted)
    } finally {
      if (!written) {
        this.#shelf.giveUp(key)
        this.#freeSlots.push(slot)
      }
    }
    if (!written) return false
    this.#shelf.put(added, slot)
    this.#counters.written++
    return true
  }

  /** The slot for a block that is to be written; `undefined` where it is not worth another one. */
  #claimSlot(block: NewBlock): number | undefined {
    if (this.#slots === 0) return undefined
    const claim = this.#shelf.claim(block, { full: this.#freeSlots.length === 0 })
    if (claim === undefined) return undefined
    if (claim.place === undefined) return this.#freeSlots.pop()
    this.#files?.erase(claim.place)
    return claim.place
  }

  async #begin(slotBytes: number): Promise<SlotFiles> {
    const files = await SlotFiles.open(this.directory, slotBytes)
    files.cutTo(0)
    writeFormat(this.directory, slotBytes)
    this.#setSlots(slotBytes)
    return files
  }

  /** Side effect: all slots are free. */
  #setSlots(slotBytes: number): void {
    this.#slots = Math.floor(this.capacityBytes / (slotBytes + headerBytes))
    this.#freeSlots = Array.from({ length: this.#slots }, (_, index) => this.#slots - 1 - index)
    this.#shelf.fits(this.#slots)
  }

  /** Slots of blocks that were dropped. */
  #free(blocks: readonly ShelvedBlock<number>[]): void {
    for (const { key, place } of blocks) {
      this.#used.delete(key)
      this.#files?.erase(place)
      this.#freeSlots.push(place)
    }
  }

  #clear(): void {
    if (this.#files === undefined) return
    this.#files.cutTo(0)
    this.#setSlots(this.#files.slotBytes)
  }

  #noteUses(): void {
    for (const key of this.#used) {
      const block = this.#shelf.find(key)
      if (block !== undefined) this.#files?.noteUse(block.place, block.usedAt)
    }
    this.#used.clear()
  }
}

function readSlot(files: SlotFiles, { place, key }: ShelvedBlock<number>, target: Uint8Array): boolean {
  try {
    return files.read(place, key, target)
  } catch {
    return false
  }
}
