import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CheckpointFiles } from '../cache/checkpoint/checkpoint-files.ts'
import { DiskTier, folderOf } from '../cache/disk/disk-tier.ts'
import type { DiskIdentity } from '../cache/disk/disk-tier.ts'
import { lockFile } from '../cache/disk/file-lock.ts'

/** A disk tier, or why a model has none. */
export type DiskTierOrReason = DiskTier | string

/**
 * The disk tiers of all models: one for each model file and state format, shared by the instances that have both in
 * common. What other models left behind stays while there is room.
 */
export class DiskTiers {
  readonly #directory: string
  readonly #capacityBytes: number
  readonly #share: number
  readonly #checkpoints: CheckpointFiles[] = []
  readonly #tiers = new Map<string, Promise<DiskTierOrReason>>()

  /** @param options.bytes over all models; 0 = no disk tier */
  constructor(options: { readonly dataDir: string; readonly bytes: number; readonly models: number }) {
    this.#directory = join(options.dataDir, 'kv')
    this.#capacityBytes = options.bytes
    this.#share = Math.floor(options.bytes / Math.max(1, options.models))
  }

  /** The tier of an identity, or the reason why there is none; never throws. */
  of(identity: DiskIdentity): Promise<DiskTierOrReason> {
    const folder = folderOf(identity)
    const known = this.#tiers.get(folder)
    if (known !== undefined) return known
    const opened = this.#open(identity)
    this.#tiers.set(folder, opened)
    return opened
  }

  /** Saved states of a recurrent model, or the reason why there are none; never throws. */
  checkpointsOf(identity: DiskIdentity, ramBytes: number): CheckpointFiles | string {
    if (this.#share === 0) return 'disk_bytes is 0'
    if (ramBytes === 0) return 'ram_bytes is 0: states reach the disk through RAM'
    const directory = join(this.#directory, `${folderOf(identity)}-states`)
    try {
      const files = CheckpointFiles.open(directory, this.#share)
      if (typeof files !== 'string') this.#checkpoints.push(files)
      return files
    } catch (error) {
      return `${directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** Drops stores of models that are not served any more, the one that was used longest ago first, until all fit. */
  async dropOldStores(): Promise<void> {
    if (this.#capacityBytes === 0) return
    const opened = [...this.#tiers.values()].map((tier) =>
      tier.then((open) => (typeof open === 'string' ? 0 : open.capacityBytes)),
    )
    const reserved = (await Promise.all(opened)).reduce((sum, bytes) => sum + bytes, 0)
    const others = storesIn(this.#directory).filter(({ folder }) => !this.#tiers.has(folder))
    let room = this.#capacityBytes - reserved
    for (const { folder, bytes } of others.sort((left, right) => right.usedAt - left.usedAt)) {
      room -= bytes
      if (room < 0) dropStore(join(this.#directory, folder))
    }
  }

  async flush(ms: number): Promise<void> {
    const stores = [...(await this.#opened()), ...this.#checkpoints]
    await Promise.all(stores.map((store) => store.flush(ms)))
  }

  async close(): Promise<void> {
    const stores = [...(await this.#opened()), ...this.#checkpoints]
    await Promise.all(stores.map((store) => store.close()))
  }

  async #opened(): Promise<DiskTier[]> {
    return (await Promise.all(this.#tiers.values())).filter((tier) => typeof tier !== 'string')
  }

  async #open(identity: DiskIdentity): Promise<DiskTierOrReason> {
    if (this.#share === 0) return 'disk_bytes is 0'
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      const now = Date.now
      return await DiskTier.open({ ...identity, directory: this.#directory, capacityBytes: this.#share, now })
    } catch (error) {
      return `${this.#directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

interface Store {
  readonly folder: string
  readonly bytes: number
  readonly usedAt: number
}

function storesIn(directory: string): Store[] {
  return namesIn(directory)
    .filter((folder) => /^[0-9a-f]{16}$/.test(folder))
    .flatMap((folder) => {
      try {
        const { size, blocks, mtimeMs } = statSync(join(directory, folder, 'states'))
        return [{ folder, bytes: Math.min(size, 512 * blocks), usedAt: mtimeMs }]
      } catch {
        // Without states it takes no room.
        return []
      }
    })
}

/** Where there is no folder, or none that can be read, there is no tier either: that is said elsewhere. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** Somebody else's store that is in use stays. */
function dropStore(directory: string): void {
  try {
    const lock = lockFile(join(directory, 'lock'))
    if (lock === undefined) return
    rmSync(directory, { recursive: true, force: true })
    lock.release()
  } catch {
    // What cannot be deleted is in nobody's way but the disk's.
  }
}
