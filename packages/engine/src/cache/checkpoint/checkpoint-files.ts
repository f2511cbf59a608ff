import { createHash } from 'node:crypto'
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { DiskCounters } from '../disk/disk-tier.ts'
import type { FileLock } from '../disk/file-lock.ts'
import { lockFile } from '../disk/file-lock.ts'
import { makeStoreFolder } from '../disk/store-folder.ts'
import { tokenBytes } from './checkpoint-keys.ts'
import type { Checkpoint } from './checkpoint-store.ts'

interface Entry {
  readonly key: string
  readonly scope: string
  readonly count: number
  readonly bytes: number
}

const magic = Buffer.from('INCKPT01')
const fixedBytes = magic.length + 8
const digestBytes = 32
const longestScope = 4_096
/** Checkpoints that wait to be written; the oldest gives way, and is written when it is used again. */
const mostWaiting = 8
const ending = '.checkpoint'
const unfinishedEnding = '.part'
/** Names of whole and of unfinished checkpoints. */
const ours = /^[0-9a-f]{64}\.checkpoint(?:\.part)?$/

/**
 * Checkpoints in files, one each: head, tokens, state, and a checksum over all of it. Written behind the requests under
 * another name first; found again after a restart; what is damaged is dropped and counted, never used.
 */
export class CheckpointFiles {
  readonly capacityBytes: number
  readonly #directory: string
  readonly #othersMakeRoom: (bytes: number) => void
  readonly #lock: FileLock
  readonly #entries = new Map<string, Entry>()
  #waiting: Checkpoint[] = []
  #working: Promise<void> | undefined
  #bytes = 0
  #closed = false
  #counters = { restored: 0, discarded: 0, written: 0, read: 0, evicted: 0, failedWrites: 0 }

  private constructor(parts: {
    readonly directory: string
    readonly capacityBytes: number
    readonly lock: FileLock
    readonly makeRoom: (bytes: number) => void
  }) {
    this.capacityBytes = parts.capacityBytes
    this.#directory = parts.directory
    this.#lock = parts.lock
    this.#othersMakeRoom = parts.makeRoom
  }

  /** Name of its folder. */
  get store(): string {
    return basename(this.#directory)
  }

  /**
   * Opens a folder of checkpoints. Files in it that are none stay.
   * @param makeRoom called before it takes more of the disk
   * @returns the reason where another process has it
   * @throws Error of the system when the folder cannot be used
   */
  static open(
    directory: string,
    capacityBytes: number,
    makeRoom: (bytes: number) => void = () => undefined,
  ): CheckpointFiles | string {
    makeStoreFolder(directory)
    const lock = lockFile(join(directory, 'lock'))
    if (lock === undefined) return `${directory} is in use by another process`
    const files = new CheckpointFiles({ directory, capacityBytes, lock, makeRoom })
    files.#restore()
    return files
  }

  get counters(): DiskCounters {
    return this.#counters
  }

  get blocks(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** Lengths of the prefixes that a scope has here. */
  lengths(scope: string): ReadonlySet<number> {
    const lengths = new Set<number>()
    for (const entry of this.#entries.values()) if (entry.scope === scope) lengths.add(entry.count)
    return lengths
  }

  /** A checkpoint behind exactly these tokens; `undefined` where it is not there, or not whole: it is dropped then. */
  read(key: string, tokens: Int32Array): Checkpoint | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    const state = this.#stateIn(entry, tokens)
    if (state === undefined) {
      this.#counters.discarded++
      this.#drop(entry)
      return undefined
    }
    this.#counters.read++
    return { key, scope: entry.scope, tokens: tokens.slice(), state }
  }

  touch(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    try {
      utimesSync(this.#path(key), new Date(), new Date())
    } catch {
      // Its age is all that is lost.
    }
  }

  writeLater(checkpoint: Checkpoint): void {
    if (this.#closed || this.has(checkpoint.key) || this.#waiting.some(({ key }) => key === checkpoint.key)) return
    if (this.#waiting.length === mostWaiting) this.#waiting.shift()
    this.#waiting.push(checkpoint)
    this.#work()
  }

  reset(scopePrefix: string): { readonly tokens: number; readonly bytes: number } {
    this.#waiting = this.#waiting.filter(({ scope }) => !scope.startsWith(scopePrefix))
    const dropped = [...this.#entries.values()].filter(({ scope }) => scope.startsWith(scopePrefix))
    for (const entry of dropped) this.#drop(entry)
    return {
      tokens: dropped.reduce((sum, { count }) => sum + count, 0),
      bytes: dropped.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }

  /** Resolves when everything is written, or after `ms`. */
  async flush(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
    await Promise.race([this.#working ?? Promise.resolve(), late])
    clearTimeout(timer)
  }

  /** Closing twice does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#waiting = []
    await this.#working
    this.#lock.release()
  }

  #work(): void {
    this.#working ??= this.#writeAll().finally(() => {
      this.#working = undefined
    })
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other: this is work behind the requests
        await this.#write(next)
      } catch {
        this.#counters.failedWrites++
      }
      if (this.#waiting[0] === next) this.#waiting.shift()
    }
  }

  async #write(checkpoint: Checkpoint): Promise<void> {
    const { key, scope, tokens, state } = checkpoint
    const parts = [headOf(checkpoint), Buffer.from(scope), tokenBytes(tokens), state]
    const bytes = parts.reduce((sum, part) => sum + part.length, digestBytes)
    if (bytes > this.capacityBytes || Buffer.byteLength(scope) > longestScope) return
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    this.#makeRoom(bytes)
    this.#othersMakeRoom(bytes)
    const unfinished = `${this.#path(key)}${unfinishedEnding}`
    const file = await open(unfinished, 'w', 0o600)
    try {
      await file.writev([...parts, hash.digest()])
      await file.datasync()
    } finally {
      await file.close()
    }
    // A reset may have come meanwhile.
    if (!this.#waiting.includes(checkpoint)) return rmSync(unfinished, { force: true })
    renameSync(unfinished, this.#path(key))
    this.#add({ key, scope, count: tokens.length, bytes })
    this.#counters.written++
  }

  #makeRoom(bytes: number): void {
    for (const entry of this.#entries.values()) {
      if (this.#bytes + bytes <= this.capacityBytes) return
      this.#drop(entry)
      this.#counters.evicted++
    }
  }

  #restore(): void {
    const found: (Entry & { readonly usedAt: number })[] = []
    for (const name of readdirSync(this.#directory)) {
      if (!ours.test(name)) continue
      const entry = this.#headIn(name)
      if (entry !== undefined) found.push(entry)
      else {
        if (name.endsWith(ending)) this.#counters.discarded++
        rmSync(join(this.#directory, name), { force: true })
      }
    }
    for (const { usedAt: _, ...entry } of found.sort((left, right) => left.usedAt - right.usedAt)) this.#add(entry)
    this.#makeRoom(0)
    this.#counters.restored = this.#entries.size
  }

  /** What a file's head says; the rest is looked at when it is used. */
  #headIn(name: string): (Entry & { readonly usedAt: number }) | undefined {
    if (!name.endsWith(ending)) return undefined
    const path = join(this.#directory, name)
    try {
      const { size: bytes, mtimeMs: usedAt } = statSync(path)
      const head = Buffer.alloc(Math.min(bytes, fixedBytes + longestScope))
      const file = openSync(path, 'r')
      try {
        readSync(file, head, 0, head.length, 0)
      } finally {
        closeSync(file)
      }
      const parts = partsOf(head)
      if (parts === undefined || bytes < parts.stateAt + digestBytes) return undefined
      return { key: name.slice(0, 64), scope: parts.scope, count: parts.count, bytes, usedAt }
    } catch {
      return undefined
    }
  }

  #stateIn({ key, scope }: Entry, tokens: Int32Array): Uint8Array | undefined {
    try {
      const whole = readFileSync(this.#path(key))
      const end = whole.length - digestBytes
      const parts = partsOf(whole)
      if (parts === undefined || parts.scope !== scope || parts.count !== tokens.length || parts.stateAt > end) {
        return undefined
      }
      if (!createHash('sha256').update(whole.subarray(0, end)).digest().equals(whole.subarray(end))) return undefined
      const held = whole.subarray(parts.stateAt - 4 * parts.count, parts.stateAt)
      return held.equals(tokenBytes(tokens)) ? whole.subarray(parts.stateAt, end) : undefined
    } catch {
      return undefined
    }
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.key, entry)
    this.#bytes += entry.bytes
  }

  #drop(entry: Entry): void {
    if (!this.#entries.delete(entry.key)) return
    this.#bytes -= entry.bytes
    rmSync(this.#path(entry.key), { force: true })
  }

  #path(key: string): string {
    return join(this.#directory, `${key}${ending}`)
  }
}

function headOf({ scope, tokens }: Checkpoint): Buffer {
  const head = Buffer.alloc(fixedBytes)
  magic.copy(head)
  head.writeUInt32LE(Buffer.byteLength(scope), magic.length)
  head.writeUInt32LE(tokens.length, magic.length + 4)
  return head
}

function partsOf(
  bytes: Buffer,
): { readonly scope: string; readonly count: number; readonly stateAt: number } | undefined {
  if (bytes.length < fixedBytes || !bytes.subarray(0, magic.length).equals(magic)) return undefined
  const scopeBytes = bytes.readUInt32LE(magic.length)
  const count = bytes.readUInt32LE(magic.length + 4)
  const scopeEnd = fixedBytes + scopeBytes
  if (scopeBytes > longestScope || scopeEnd > bytes.length) return undefined
  return { scope: bytes.toString('utf8', fixedBytes, scopeEnd), count, stateAt: scopeEnd + 4 * count }
}
