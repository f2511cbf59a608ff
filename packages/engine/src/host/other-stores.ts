import { readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { occupiedBytes } from '../cache/disk/occupied-bytes.ts'
import { lockFile } from '../cache/disk/file-lock.ts'
import { makeStoreFolder } from '../cache/disk/store-folder.ts'

/** What other models left on disk. */
export interface OtherStoresStats {
  readonly stores: number
  readonly bytes: number
  /** Stores that made room since the start, and what they took. */
  readonly dropped: number
  readonly droppedBytes: number
}

interface Store {
  readonly folder: string
  readonly bytes: number
  readonly usedAt: number
}

/** Folders of stores: blocks of a model in a state format, and whole states of one. Only these files in them are ours. */
const kinds: readonly { readonly folder: RegExp; readonly file: RegExp }[] = [
  { folder: /^[0-9a-f]{16}$/, file: /^(?:format\.json|headers|states|pins-[0-9a-f]{16}(?:\.new)?)$/ },
  { folder: /^[0-9a-f]{16}-states$/, file: /^[0-9a-f]{64}\.checkpoint(?:\.part)?$/ },
]

/**
 * Stores of models that are not served any more. They stay while there is room: the one that was used longest ago goes
 * first. What is no file of a store is never touched, and neither is a store that another process has open.
 */
export class OtherStores {
  readonly #directory: string
  #stores: Store[]
  #dropped = 0
  #droppedBytes = 0

  /** @param isServed folders that are left alone */
  constructor(directory: string, isServed: (folder: string) => boolean) {
    this.#directory = directory
    this.#stores = namesIn(directory)
      .filter((folder) => !isServed(folder))
      .flatMap((folder) => storeIn(directory, folder))
      .sort((left, right) => left.usedAt - right.usedAt)
  }

  get stats(): OtherStoresStats {
    const bytes = this.#stores.reduce((sum, store) => sum + store.bytes, 0)
    return { stores: this.#stores.length, bytes, dropped: this.#dropped, droppedBytes: this.#droppedBytes }
  }

  /** Drops stores until the others take at most `allowed` bytes. */
  shrinkTo(allowed: number): void {
    let { bytes } = this.stats
    while (bytes > allowed) {
      const oldest = this.#stores.shift()
      if (oldest === undefined) return
      bytes -= oldest.bytes
      if (!dropStore(join(this.#directory, oldest.folder), fileOf(oldest.folder))) continue
      this.#dropped++
      this.#droppedBytes += oldest.bytes
    }
  }
}

function fileOf(folder: string): RegExp | undefined {
  return kinds.find((kind) => kind.folder.test(folder))?.file
}

function storeIn(directory: string, folder: string): Store[] {
  const file = fileOf(folder)
  if (file === undefined) return []
  let bytes = 0
  let usedAt = 0
  for (const name of namesIn(join(directory, folder))) {
    if (!file.test(name)) continue
    try {
      const stat = statSync(join(directory, folder, name))
      bytes += occupiedBytes(stat)
      usedAt = Math.max(usedAt, stat.mtimeMs)
    } catch {
      // It went in the meantime.
    }
  }
  return bytes === 0 ? [] : [{ folder, bytes, usedAt }]
}

/** Where there is no folder, or none that can be read, there is no store either: that is said elsewhere. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** @returns false where somebody else has it open, or it cannot be deleted: then it is in nobody's way but the disk's */
function dropStore(directory: string, file: RegExp | undefined): boolean {
  try {
    makeStoreFolder(directory)
    const lock = lockFile(join(directory, 'lock'))
    if (lock === undefined || file === undefined) return false
    for (const name of namesIn(directory)) if (file.test(name)) rmSync(join(directory, name), { force: true })
    rmSync(join(directory, 'lock'), { force: true })
    lock.release()
    if (namesIn(directory).length === 0) rmdirSync(directory)
    return true
  } catch {
    return false
  }
}
