import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { tensorBytes, tensorTypes } from './tensor-types.ts'

/** The metadata of a GGUF file, checked against the size of the file. */
export interface GgufHeader {
  readonly version: number
  /** Scalars, and arrays of at most 4,096 numbers; longer arrays and lists of strings only as their length. */
  readonly metadata: ReadonlyMap<string, GgufMetadata>
  readonly tensors: number
  readonly fileBytes: number
}

export type GgufMetadata = string | number | boolean | readonly number[] | GgufList

/** A list whose items are not kept. */
export interface GgufList {
  readonly length: number
  /** Different items, of a list of strings. */
  readonly distinct?: number
}

const supportedVersions: ReadonlySet<number> = new Set([2, 3])
/** More than any known model has; a larger count is a broken file. */
const maxEntries = 1_000_000
const maxNumbersKept = 4_096
const stringType = 8
const arrayType = 9

/**
 * Reads and checks the header of a GGUF file, so that a broken file is refused with a reason before
 * native code sees it: magic, version, counts, strings and tensors inside the file.
 *
 * @throws Error naming the path and what is wrong
 * @example readGgufHeader('model.gguf').metadata.get('general.architecture') // 'llama'
 */
export function readGgufHeader(path: string): GgufHeader {
  try {
    return readHeader(path)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`cannot read model "${path}": ${reason}`, { cause })
  }
}

function readHeader(path: string): GgufHeader {
  const file = openSync(path, 'r')
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw new Error('not a regular file')
    const cursor = new Cursor(file, status.size)
    if (status.size < 24) throw new Error(`not a GGUF file: ${status.size} bytes, at least 24 needed`)
    if (cursor.text(4) !== 'GGUF') throw new Error('not a GGUF file: it does not begin with "GGUF"')
    const version = cursor.u32()
    if (!supportedVersions.has(version)) throw new Error(`GGUF version is ${version}, 2 or 3 supported`)
    const tensors = cursor.count('tensor count')
    const entries = cursor.count('metadata count')
    const metadata = readMetadata(cursor, entries)
    checkTensors(cursor, tensors, metadata)
    return { version, metadata, tensors, fileBytes: status.size }
  } finally {
    closeSync(file)
  }
}

function readMetadata(cursor: Cursor, entries: number): Map<string, GgufMetadata> {
  const metadata = new Map<string, GgufMetadata>()
  for (let entry = 0; entry < entries; entry++) {
    const key = cursor.string()
    const type = cursor.u32()
    metadata.set(key, type === arrayType ? readArray(cursor) : cursor.scalar(type))
  }
  return metadata
}

function readArray(cursor: Cursor): readonly number[] | GgufList {
  const type = cursor.u32()
  const length = cursor.count('array length', Number.MAX_SAFE_INTEGER)
  if (type === stringType) {
    const items = new Set<string>()
    for (let index = 0; index < length; index++) items.add(cursor.string())
    return { length, distinct: items.size }
  }
  const size = scalarBytes(type)
  if (length > maxNumbersKept) {
    cursor.skip(length * size)
    return { length }
  }
  return Array.from({ length }, () => Number(cursor.scalar(type)))
}

function checkTensors(cursor: Cursor, count: number, metadata: ReadonlyMap<string, GgufMetadata>): void {
  const found = Array.from({ length: count }, () => readTensor(cursor))
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || alignment < 1 || alignment % 8 !== 0) {
    throw new Error(`general.alignment is ${JSON.stringify(alignment)}, a multiple of 8 expected`)
  }
  const start = Math.ceil(cursor.position / alignment) * alignment
  for (const { name, offset, bytes } of found) {
    const end = start + offset + bytes
    if (end > cursor.fileBytes) {
      throw new Error(
        `tensor "${name}" ends at byte ${end}, but the file has ${cursor.fileBytes} bytes: it is cut short`,
      )
    }
  }
}

function readTensor(cursor: Cursor): { readonly name: string; readonly offset: number; readonly bytes: number } {
  const name = cursor.string()
  const rank = cursor.u32()
  if (rank > 4) throw new Error(`tensor "${name}" has ${rank} dimensions, at most 4 allowed`)
  const dims = Array.from({ length: rank }, () => cursor.count('dimension', Number.MAX_SAFE_INTEGER))
  const type = tensorTypes.get(cursor.u32())
  const offset = cursor.count('tensor offset', Number.MAX_SAFE_INTEGER)
  return { name, offset, bytes: type === undefined ? 0 : tensorBytes(type, dims) }
}

function scalarBytes(type: number): number {
  const size = [1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8][type]
  if (size === undefined) throw new Error(`unknown metadata type ${type}`)
  return size
}

/** Reads forward through a file in steps of 1 MiB, never past its end. */
class Cursor {
  position = 0
  readonly fileBytes: number
  readonly #file: number
  #window: Buffer = Buffer.alloc(0)
  #windowStart = 0

  constructor(file: number, fileBytes: number) {
    this.#file = file
    this.fileBytes = fileBytes
  }

  u32(): number {
    return this.#take(4).readUInt32LE()
  }

  count(what: string, limit: number = maxEntries): number {
    const value = this.#take(8).readBigUInt64LE()
    if (value > BigInt(limit)) throw new Error(`${what} is ${value}, at most ${limit} allowed`)
    return Number(value)
  }

  text(length: number): string {
    return this.#take(length).toString('utf8')
  }

  string(): string {
    return this.text(this.#stringLength())
  }

  skip(length: number): void {
    this.#check(length)
    this.position += length
  }

  scalar(type: number): string | number | boolean {
    if (type === stringType) return this.string()
    const bytes = this.#take(scalarBytes(type))
    if (type === 7) return bytes[0] !== 0
    if (type === 6) return bytes.readFloatLE()
    if (type === 12) return bytes.readDoubleLE()
    if (type === 10) return Number(bytes.readBigUInt64LE())
    if (type === 11) return Number(bytes.readBigInt64LE())
    return type % 2 === 0 ? bytes.readUIntLE(0, bytes.length) : bytes.readIntLE(0, bytes.length)
  }

  #stringLength(): number {
    return this.count('string length', this.fileBytes)
  }

  #check(length: number): void {
    if (this.position + length > this.fileBytes) {
      throw new Error(`the header needs ${this.position + length} bytes, but the file has ${this.fileBytes}`)
    }
  }

  #take(length: number): Buffer {
    this.#check(length)
    const start = this.position - this.#windowStart
    this.position += length
    if (start >= 0 && start + length <= this.#window.length) return this.#window.subarray(start, start + length)
    const window = Buffer.alloc(Math.min(Math.max(length, 1 << 20), this.fileBytes - (this.position - length)))
    for (let at = 0; at < window.length;) {
      const read = readSync(this.#file, window, at, window.length - at, this.position - length + at)
      if (read === 0) throw new Error('the file became shorter while it was read')
      at += read
    }
    this.#window = window
    this.#windowStart = this.position - length
    return window.subarray(0, length)
  }
}
