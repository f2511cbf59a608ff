import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ShelfOptions } from '../cache/block-shelf.ts'
import { CheckpointFiles } from '../cache/checkpoint/checkpoint-files.ts'
import type { DiskIdentity } from '../cache/disk/disk-format.ts'
import { folderOf } from '../cache/disk/disk-format.ts'
import { DiskTier } from '../cache/disk/disk-tier.ts'
import { OtherStores } from './other-stores.ts'
import type { OtherStoresStats } from './other-stores.ts'

/** Which store, and what its blocks cost to compute again. */
export type StoreOptions = DiskIdentity & Pick<ShelfOptions, 'weightOf'>

/** A disk tier, or why a model has none. */
export type DiskTierOrReason = DiskTier | string

/**
 * The disk tiers of all models: one for each model file and state format, shared by the instances that have both in
 * common. What other models left behind counts as well, and gives way to them.
 */
export class DiskTiers {
  readonly #directory: string
  readonly #capacityBytes: number
  readonly #share: number
  readonly #checkpoints: CheckpointFiles[] = []
  readonly #tiers = new Map<string, Promise<DiskTierOrReason>>()
  #openTiers: readonly DiskTier[] = []
  #others: OtherStores | undefined

  /** @param options.bytes over all models; 0 = no disk tier */
  constructor(options: { readonly dataDir: string; readonly bytes: number; readonly models: number }) {
    this.#directory = join(options.dataDir, 'kv')
    this.#capacityBytes = options.bytes
    this.#share = Math.floor(options.bytes / Math.max(1, options.models))
  }

  /** The tier of an identity, or the reason why there is none; never throws. */
  of(identity: StoreOptions): Promise<DiskTierOrReason> {
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
      const files = CheckpointFiles.open(directory, this.#share, this.#makeRoom)
      if (typeof files !== 'string') this.#checkpoints.push(files)
      return files
    } catch (error) {
      return `${directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  /** Looks for what other models left behind; needed once, when the tiers of all that are served are there. */
  async findOtherStores(): Promise<void> {
    if (this.#capacityBytes === 0) return
    this.#openTiers = await this.#opened()
    const served = new Set([...this.#tiers.keys(), ...this.#checkpoints.map(({ store }) => store)])
    this.#others = new OtherStores(this.#directory, (folder) => served.has(folder))
    this.#makeRoom(0)
  }

  /** Stores of models that are not served, which give way when those that are need room. */
  get otherStores(): OtherStoresStats {
    return this.#others?.stats ?? { stores: 0, bytes: 0, dropped: 0, droppedBytes: 0 }
  }

  /** Before a store grows: each has its share, and what is left of all of it is room for others. */
  readonly #makeRoom = (bytes: number): void => {
    if (this.#others === undefined || this.#others.stats.stores === 0) return
    const stores = [
      ...this.#openTiers.map((tier) => tier.occupiedBytes),
      ...this.#checkpoints.map((files) => files.bytes),
    ]
    this.#others.shrinkTo(this.#capacityBytes - bytes - stores.reduce((sum, each) => sum + each, 0))
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

  async #open(identity: StoreOptions): Promise<DiskTierOrReason> {
    if (this.#share === 0) return 'disk_bytes is 0'
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      const now = Date.now
      return await DiskTier.open({
        ...identity,
        directory: this.#directory,
        capacityBytes: this.#share,
        makeRoom: this.#makeRoom,
        now,
      })
    } catch (error) {
      return `${this.#directory} cannot be used: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}
