import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { frame } from '@incipit/core'
import { blockTokens } from '../block-key.ts'
import type { BlockView } from '../block-pool.ts'
import type { PartialBlock } from '../child-index.ts'
import { ChildIndex, rootOf } from '../child-index.ts'
import type { FileLock } from './file-lock.ts'
import { lockFile } from './file-lock.ts'
import type { SlotHeader } from './slot-header.ts'
import { headerBytes } from './slot-header.ts'
import type { FoundSlot } from './slot-files.ts'
import { SlotFiles } from './slot-files.ts'

/** Which blocks lie in one folder: those of one model in one state format. */
export interface DiskIdentity {
  /** SHA-256 of the model file, hex. */
  readonly modelHash: string
  readonly stateFormat: string
}

export interface DiskTierOptions extends DiskIdentity {
  /** Holds a folder for each identity. */
  readonly directory: string
  readonly capacityBytes: number
  /** The wall clock, in milliseconds since 1970. */
  readonly now: () => number
}

/** A prefix to write: its keys, and where the state of each of its blocks can be had now. */
export interface DiskJob {
  readonly scope: string
  readonly tokens: Int32Array
  readonly keys: readonly string[]
  /** `undefined` when it went to make room in the meantime. */
  readonly stateOf: (block: number) => Uint8Array | undefined
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

interface Entry {
  readonly key: string
  readonly parent: Entry | undefined
  readonly scope: string
  readonly slot: number
  /** `undefined` where it was found at the start. */
  readonly storedAt: number | undefined
  children: number
  hits: number
  usedAt: number
}

interface PendingJob extends DiskJob {
  cancelled: boolean
}

const version = 1
/** The oldest job gives way: what it would have written is written when it is used again. */
const maxJobs = 64
/** After a write that failed nothing is written for this long. */
const failurePauseMs = 30_000
/** While answers are generated, writing takes this part of the time at most. */
const shareBesideAnswers = 1 / 8
const mostNotedUses = 1_024

/**
 * KV state of full blocks in files: survives restarts. Written behind the requests, found by the same keys as in RAM,
 * least recently used first to go, children before parents. What is damaged is dropped and counted, never used.
 */
export class DiskTier {
  readonly capacityBytes: number
  readonly #options: DiskTierOptions
  readonly #directory: string
  readonly #lock: FileLock
  readonly #entries = new Map<string, Entry>()
  readonly #children = new ChildIndex()
  readonly #jobs: PendingJob[] = []
  readonly #used = new Map<string, number>()
  #files: SlotFiles | undefined
  #freeSlots: number[] = []
  #slots = 0
  #staging = new Uint8Array(0)
  #working: Promise<void> | undefined
  #pausedUntil = 0
  #closed = false
  #busy: () => boolean = () => false
  #counters = { restored: 0, discarded: 0, written: 0, read: 0, evicted: 0, failedWrites: 0 }

  private constructor(options: DiskTierOptions, directory: string, lock: FileLock) {
    this.capacityBytes = options.capacityBytes
    this.#options = options
    this.#directory = directory
    this.#lock = lock
  }

  /**
   * Opens the blocks of an identity, and drops what is not whole.
   * @returns the reason where another process has them
   * @throws Error of the system when the folder cannot be used
   */
  static async open(options: DiskTierOptions): Promise<DiskTier | string> {
    const directory = join(options.directory, folderOf(options))
    mkdirSync(directory, { recursive: true, mode: 0o700 })
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
    return basename(this.#directory)
  }

  get counters(): DiskCounters {
    return this.#counters
  }

  get blocks(): number {
    return this.#entries.size
  }

  /** Bytes of the state of one block; `undefined` while there is none. */
  get slotBytes(): number | undefined {
    return this.#files?.slotBytes
  }

  /** Bytes that the blocks take. */
  get bytes(): number {
    return this.#entries.size * this.#bytesPerBlock
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** The block behind `parent` that goes on most like `rest`. */
  closest(parent: string, rest: Int32Array): PartialBlock | undefined {
    return this.#children.closest(parent, rest)
  }

  /** Says when answers are being generated: writing makes room for them. */
  yieldTo(busy: () => boolean): void {
    this.#busy = busy
  }

  /** Reads the state of a block; false where it is not there, or not whole: it is dropped then. */
  read(key: string, target: Uint8Array): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined || this.#files === undefined) return false
    if (this.#readSlot(this.#files, entry, target)) {
      this.#counters.read++
      entry.hits++
      return true
    }
    this.#counters.discarded++
    this.#dropWithChildren(entry)
    return false
  }

  /** Marks the first `count` blocks of a chain as just used, the first one last. */
  touch(keys: readonly string[], count: number): void {
    const now = this.#options.now()
    for (let index = count - 1; index >= 0; index--) {
      const entry = this.#entries.get(keys[index] as string)
      if (entry === undefined) continue
      this.#entries.delete(entry.key)
      this.#entries.set(entry.key, entry)
      entry.usedAt = now
      this.#used.set(entry.key, now)
    }
    if (this.#used.size >= mostNotedUses) this.#noteUses()
  }

  /** All blocks, the warmest first, parents before children. */
  warmestFirst(): readonly BlockView[] {
    return [...this.#entries.values()]
      .toReversed()
      .map(({ parent, ...entry }) => ({ ...entry, parentKey: parent?.key }))
  }

  /** Writes a prefix behind the requests. */
  writeLater(job: DiskJob): void {
    if (this.#closed || job.keys.every((key) => this.#entries.has(key))) return
    if (this.#jobs.length === maxJobs) this.#jobs.shift()
    this.#jobs.push({ ...job, cancelled: false })
    this.#work()
  }

  /** Drops the blocks of every scope that begins with `scopePrefix`, those under way included. */
  reset(scopePrefix: string): { readonly blocks: number; readonly bytes: number } {
    for (const job of this.#jobs) if (job.scope.startsWith(scopePrefix)) job.cancelled = true
    const dropped = [...this.#entries.values()].filter(({ scope }) => scope.startsWith(scopePrefix))
    for (const entry of dropped) this.#forget(entry)
    if (this.#entries.size === 0 && this.#working === undefined) this.#clear()
    return { blocks: dropped.length, bytes: dropped.length * this.#bytesPerBlock }
  }

  /** Resolves when everything queued is written, or after `ms`. */
  async flush(ms: number): Promise<void> {
    this.#busy = () => false
    const timer = new AbortController()
    const late = new Promise<void>((resolve) => {
      const handle = setTimeout(resolve, ms)
      timer.signal.addEventListener('abort', () => clearTimeout(handle))
    })
    await Promise.race([this.#working ?? Promise.resolve(), late])
    timer.abort()
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const job of this.#jobs) job.cancelled = true
    await this.#working
    this.#noteUses()
    await this.#files?.close()
    this.#lock.release()
  }

  get #bytesPerBlock(): number {
    return (this.#files?.slotBytes ?? 0) + headerBytes
  }

  async #restore(): Promise<void> {
    const slotBytes = readFormat(this.#directory)
    if (slotBytes === undefined) return
    this.#files = await SlotFiles.open(this.#directory, slotBytes)
    this.#slots = slotsOf(this.capacityBytes, slotBytes)
    this.#files.cutTo(this.#slots)
    const { slots, broken } = this.#files.scan()
    this.#counters.discarded += broken
    const byKey = new Map(slots.map((found) => [found.header.key, found]))
    const oldestFirst = [...byKey.values()].sort((left, right) => left.header.usedAt - right.header.usedAt)
    const enter = (key: string): void => {
      const chain: FoundSlot[] = []
      for (let at: string | undefined = key; at !== undefined && !this.#entries.has(at);) {
        const found = byKey.get(at)
        // Without its parent nobody can reach it; a circle has no beginning either.
        if (found === undefined || chain.length > byKey.size) return
        chain.push(found)
        at = found.header.parentKey
      }
      for (const { header, slot } of chain.toReversed()) this.#add(header, slot)
    }
    for (const { header } of oldestFirst) enter(header.key)
    for (const { header, slot } of oldestFirst) {
      const entry = this.#entries.get(header.key)
      if (entry === undefined) {
        this.#files.erase(slot)
        this.#counters.discarded++
        continue
      }
      // Again in order of use: ancestors were entered before their time.
      this.#entries.delete(entry.key)
      this.#entries.set(entry.key, entry)
    }
    this.#counters.restored = this.#entries.size
    const taken = new Set([...this.#entries.values()].map(({ slot }) => slot))
    for (let slot = this.#slots - 1; slot >= 0; slot--) if (!taken.has(slot)) this.#freeSlots.push(slot)
  }

  #add(header: Omit<SlotHeader, 'stateBytes' | 'stateChecksum'>, slot: number, storedAt?: number): void {
    const parent = header.parentKey === undefined ? undefined : this.#entries.get(header.parentKey)
    if (parent !== undefined) parent.children++
    const { key, scope, tokens, usedAt } = header
    this.#entries.set(key, { key, parent, scope, slot, storedAt, children: 0, hits: 0, usedAt })
    this.#children.add(parent?.key ?? rootOf(scope), { key, tokens })
  }

  #work(): void {
    this.#working ??= this.#writeAll().finally(() => {
      this.#working = undefined
      if (this.#jobs.length > 0 && !this.#closed && this.#options.now() >= this.#pausedUntil) this.#work()
    })
  }

  async #writeAll(): Promise<void> {
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one block after the other: this is work behind the requests
        await this.#writeJob(job)
      } catch {
        this.#counters.failedWrites++
        this.#pausedUntil = this.#options.now() + failurePauseMs
        this.#jobs.length = 0
      }
      if (this.#jobs[0] === job) this.#jobs.shift()
    }
    this.#noteUses()
  }

  async #writeJob(job: PendingJob): Promise<void> {
    if (this.#options.now() < this.#pausedUntil) return
    for (let block = 0; block < job.keys.length && !job.cancelled; block++) {
      if (this.#entries.has(job.keys[block] as string)) continue
      const state = job.stateOf(block)
      if (state === undefined) return
      const begun = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- a block without its parent is of no use
      if (!(await this.#writeBlock(job, block, state))) return
      // oxlint-disable-next-line no-await-in-loop
      await this.#rest(performance.now() - begun)
    }
    if (!job.cancelled) this.touch(job.keys, job.keys.length)
  }

  async #writeBlock(job: PendingJob, block: number, state: Uint8Array): Promise<boolean> {
    const key = job.keys[block] as string
    const parentKey = block === 0 ? undefined : (job.keys[block - 1] as string)
    const parent = parentKey === undefined ? undefined : this.#entries.get(parentKey)
    if (block > 0 && parent === undefined) return false
    // The state may be overwritten while the system writes: a copy is written.
    if (this.#staging.length !== state.length) this.#staging = new Uint8Array(state.length)
    this.#staging.set(state)
    const files = (this.#files ??= await this.#begin(state.length))
    if (files.slotBytes !== state.length) return false
    const slot = this.#takeSlot(parent)
    if (slot === undefined) return false
    const tokens = job.tokens.subarray(block * blockTokens, (block + 1) * blockTokens)
    const header = { key, parentKey, scope: job.scope, tokens, usedAt: this.#options.now() }
    let written = false
    try {
      // The parent can go while this is written.
      const isWanted = (): boolean =>
        !job.cancelled && (parentKey === undefined || this.#entries.get(parentKey) === parent)
      written = await files.write(slot, this.#staging, header, isWanted)
    } finally {
      if (parent !== undefined) parent.children--
      if (!written) this.#freeSlots.push(slot)
    }
    if (!written) return false
    this.#add({ ...header, tokens: tokens.slice() }, slot, header.usedAt)
    this.#counters.written++
    return true
  }

  /** Side effect: the parent counts one child more, so that it stays while the block is written. */
  #takeSlot(parent: Entry | undefined): number | undefined {
    if (parent !== undefined) parent.children++
    const free = this.#freeSlots.pop()
    if (free !== undefined) return free
    for (const entry of this.#entries.values()) {
      if (entry.children > 0) continue
      this.#forget(entry)
      this.#counters.evicted++
      return this.#freeSlots.pop()
    }
    if (parent !== undefined) parent.children--
    return undefined
  }

  async #begin(slotBytes: number): Promise<SlotFiles> {
    const files = await SlotFiles.open(this.#directory, slotBytes)
    files.cutTo(0)
    writeFormat(this.#directory, slotBytes)
    this.#slots = slotsOf(this.capacityBytes, slotBytes)
    this.#freeSlots = Array.from({ length: this.#slots }, (_, index) => this.#slots - 1 - index)
    return files
  }

  #readSlot(files: SlotFiles, entry: Entry, target: Uint8Array): boolean {
    try {
      return files.read(entry.slot, entry.key, target)
    } catch {
      return false
    }
  }

  #dropWithChildren(entry: Entry): void {
    const gone = new Set([entry])
    // Children were entered behind their parents or were used before them: one pass for each generation of them.
    for (let before = 0; before !== gone.size;) {
      before = gone.size
      for (const other of this.#entries.values())
        if (other.parent !== undefined && gone.has(other.parent)) gone.add(other)
    }
    for (const one of gone) this.#forget(one)
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key)
    this.#children.delete(entry.parent?.key ?? rootOf(entry.scope), entry.key)
    this.#used.delete(entry.key)
    if (entry.parent !== undefined) entry.parent.children--
    this.#files?.erase(entry.slot)
    this.#freeSlots.push(entry.slot)
  }

  #clear(): void {
    if (this.#files === undefined) return
    this.#files.cutTo(0)
    this.#freeSlots = Array.from({ length: this.#slots }, (_, index) => this.#slots - 1 - index)
  }

  #noteUses(): void {
    for (const [key, usedAt] of this.#used) {
      const entry = this.#entries.get(key)
      if (entry !== undefined) this.#files?.noteUse(entry.slot, usedAt)
    }
    this.#used.clear()
  }

  /** Pauses behind a write that took `ms`, as long as answers are generated. */
  async #rest(ms: number): Promise<void> {
    if (this.#busy() && !this.#closed) {
      await new Promise((resolve) => setTimeout(resolve, ms / shareBesideAnswers))
    }
  }
}

function slotsOf(capacityBytes: number, slotBytes: number): number {
  return Math.floor(capacityBytes / (slotBytes + headerBytes))
}

/** @example folderOf({ modelHash, stateFormat }) // '9f86d081884c7d65' */
export function folderOf({ modelHash, stateFormat }: DiskIdentity): string {
  const fields = ['incipit/disk/1', modelHash, stateFormat, String(blockTokens)]
  return createHash('sha256').update(frame(fields)).digest('hex').slice(0, 16)
}

function readFormat(directory: string): number | undefined {
  try {
    const format: unknown = JSON.parse(readFileSync(join(directory, 'format.json'), 'utf8'))
    const { version: found, slotBytes } = format as { version?: unknown; slotBytes?: unknown }
    return found === version && Number.isSafeInteger(slotBytes) && Number(slotBytes) > 0 ? Number(slotBytes) : undefined
  } catch {
    return undefined
  }
}

function writeFormat(directory: string, slotBytes: number): void {
  writeFileSync(join(directory, 'format.json'), JSON.stringify({ version, slotBytes }), { mode: 0o600 })
}
