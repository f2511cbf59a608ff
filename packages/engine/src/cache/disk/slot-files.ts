import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { SlotHeader } from './slot-header.ts'
import { occupiedBytes } from './occupied-bytes.ts'
import { decodeHeader, encodeHeader, headerBytes, usedAtOffset } from './slot-header.ts'

/** A slot as it was found when the files were opened. */
export interface FoundSlot {
  readonly slot: number
  readonly header: SlotHeader
}

/** Headers are read in parts of this size: a store of thousands of blocks is known after a few reads. */
const scannedAtOnce = 4_096

/**
 * KV state of blocks in slots of one size: the states in one file, a header for each in another, so that a start reads
 * headers only. A header holds the checksum of its state and of itself, and is written behind the state: what a
 * killed process or a power cut left half written is not used.
 */
export class SlotFiles {
  readonly slotBytes: number
  readonly #states: FileHandle
  readonly #headers: number
  readonly #scratch = Buffer.alloc(8)

  private constructor(parts: { readonly slotBytes: number; readonly states: FileHandle; readonly headers: number }) {
    this.slotBytes = parts.slotBytes
    this.#states = parts.states
    this.#headers = parts.headers
  }

  /** Opens the files of a folder, which exists; makes them where they are missing. */
  static async open(directory: string, slotBytes: number): Promise<SlotFiles> {
    const states = await open(join(directory, 'states'), openFlags, 0o600)
    const headers = openSync(join(directory, 'headers'), openFlags, 0o600)
    return new SlotFiles({ slotBytes, states, headers })
  }

  /** Every slot with a header that is whole, and how many were damaged. */
  scan(): { readonly slots: readonly FoundSlot[]; readonly broken: number } {
    const slots: FoundSlot[] = []
    let broken = 0
    const count = Math.floor(fstatSync(this.#headers).size / headerBytes)
    const part = Buffer.allocUnsafe(Math.min(count, scannedAtOnce) * headerBytes)
    for (let first = 0; first < count; first += scannedAtOnce) {
      const read = Math.floor(readSync(this.#headers, part, 0, part.length, first * headerBytes) / headerBytes)
      for (let index = 0; index < read; index++) {
        const header = decodeHeader(part.subarray(index * headerBytes, (index + 1) * headerBytes))
        if (header === 'broken') broken++
        else if (header !== undefined) slots.push({ slot: first + index, header })
      }
    }
    return { slots, broken }
  }

  /**
   * Fills a slot: the state first, then its header.
   * @throws Error of the system, `ENOSPC` for example; the slot is empty then
   */
  async write(
    slot: number,
    state: Uint8Array,
    header: Omit<SlotHeader, 'stateBytes' | 'stateChecksum'>,
    isWanted: () => boolean,
  ): Promise<boolean> {
    // What lies there is given up first: its header would speak of a state that is being overwritten.
    this.erase(slot)
    await writeFully(this.#states, state, slot * this.slotBytes)
    if (!isWanted()) return false
    const encoded = encodeHeader({ ...header, stateBytes: state.length, stateChecksum: crc32(state) })
    writeSync(this.#headers, encoded, 0, headerBytes, slot * headerBytes)
    return true
  }

  /** Reads a state into `target`; false where it is not the one that was written. */
  read(slot: number, key: string, target: Uint8Array): boolean {
    const bytes = Buffer.allocUnsafe(headerBytes)
    if (readSync(this.#headers, bytes, 0, headerBytes, slot * headerBytes) !== headerBytes) return false
    const header = decodeHeader(bytes)
    if (header === undefined || header === 'broken' || header.key !== key) return false
    if (header.stateBytes !== target.length) return false
    if (readFully(this.#states.fd, target, slot * this.slotBytes) !== target.length) return false
    return crc32(target) === header.stateChecksum
  }

  /** Nobody finds the state any more. */
  erase(slot: number): void {
    this.#scratch.fill(0)
    writeSync(this.#headers, this.#scratch, 0, 8, slot * headerBytes)
  }

  noteUse(slot: number, usedAt: number): void {
    this.#scratch.writeDoubleLE(usedAt)
    writeSync(this.#headers, this.#scratch, 0, 8, slot * headerBytes + usedAtOffset)
  }

  /** Gives the space of all slots from number `slots` on back. */
  cutTo(slots: number): void {
    for (const [fd, bytes] of [
      [this.#headers, headerBytes],
      [this.#states.fd, this.slotBytes],
    ] as const) {
      if (fstatSync(fd).size > slots * bytes) ftruncateSync(fd, slots * bytes)
    }
  }

  /** What the files take on disk. */
  get occupiedBytes(): number {
    return occupiedBytes(fstatSync(this.#headers)) + occupiedBytes(fstatSync(this.#states.fd))
  }

  async close(): Promise<void> {
    closeSync(this.#headers)
    await this.#states.close()
  }
}

/** Read and write, made where it is missing, kept where it is not. */
const openFlags = constants.O_RDWR | constants.O_CREAT

async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    // oxlint-disable-next-line no-await-in-loop -- the rest of what the call before did not take
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten
  }
}

function readFully(fd: number, target: Uint8Array, position: number): number {
  let read = 0
  while (read < target.length) {
    const more = readSync(fd, target, read, target.length - read, position + read)
    if (more === 0) break
    read += more
  }
  return read
}
