import type { Clock, EpochMs } from '@incipit/core'
import { epochMs, IncipitError } from '@incipit/core'
import { timingSafeEqual } from 'node:crypto'
import type { Logger } from 'pino'
import { SqlError } from '../ledger/sql-error.ts'
import type { KeyChange, KeyStore, KeyWrite } from './key-store.ts'
import type { StoredKey, VirtualKey } from './virtual-key.ts'

/** Virtual keys that one gateway holds at most. */
export const mostVirtualKeys = 100_000
const pageSize = 1_000
/** How soon what other gateways did is known here. */
const followMs = 1_000
/** How often the last uses are written. */
const useMs = 60_000
/** A store that was silent for this long is asked at most this often. */
const longestFollowMs = 15_000

/** A key as it is now. */
export interface BookedKey {
  readonly stored: StoredKey
  readonly revision: number
  readonly lastUsedAt: EpochMs | undefined
}

/** What a book needs. */
export interface KeyBookPorts {
  readonly store: KeyStore
  readonly clock: Clock
  readonly log: Logger
}

/**
 * All virtual keys, in memory: a request never waits for their store. What this gateway does is in effect when it
 * is answered; what others do on the same store, about a second later. While the store is silent, the keys known last stay valid.
 *
 * @throws Error when the store cannot be used; one that is away is waited for
 * @example const book = await openKeyBook({ store, clock, log })
 */
export async function openKeyBook(ports: KeyBookPorts): Promise<KeyBook> {
  const book = new KeyBook(ports)
  try {
    await book.follow()
  } catch (error) {
    if (!(error instanceof SqlError) || !awayCodes.has(error.code)) throw error
    ports.log.error({ err: error }, 'the store of virtual keys does not answer: none is known until it does')
  }
  book.start()
  return book
}

/** With these, a store is asked again later; with all others something is wrong that does not pass. */
const awayCodes: ReadonlySet<string> = new Set(['unreachable', 'busy'])

export class KeyBook {
  readonly #ports: KeyBookPorts
  readonly #keys = new Map<string, BookedKey>()
  /** Ids by digest, of secrets that are or were valid. */
  readonly #ids = new Map<string, { readonly id: string; readonly digest: Buffer }>()
  /** What a late answer of the store must not bring back. */
  readonly #revoked = new Set<string>()
  readonly #used = new Map<string, EpochMs>()
  #orgs: ReadonlySet<string> | undefined
  #revision = 0
  #following: Promise<void> | undefined
  #silent = 0
  #loaded = false
  #timers: { follow?: NodeJS.Timeout; use?: NodeJS.Timeout } = {}
  #closed = false

  constructor(ports: KeyBookPorts) {
    this.#ports = ports
  }

  /** The key whose secret has this digest, in constant time. */
  find(digest: Buffer): VirtualKey | undefined {
    if (this.#keys.size === 0) return undefined
    const hex = digest.toString('hex')
    const entry = this.#ids.get(hex)
    if (entry === undefined || !timingSafeEqual(entry.digest, digest)) return undefined
    const { stored } = this.#keys.get(entry.id) ?? {}
    if (stored === undefined) return undefined
    const now = this.#ports.clock.now()
    if (stored.digest !== hex && now >= (stored.previous?.until ?? 0)) return undefined
    return stored.key
  }

  /** A key was used now; the store hears of it within a minute. */
  noteUse(id: string): void {
    if (this.#keys.has(id)) this.#used.set(id, this.#ports.clock.now())
  }

  get(id: string): BookedKey | undefined {
    const booked = this.#keys.get(id)
    if (booked === undefined) return undefined
    const used = Math.max(booked.lastUsedAt ?? 0, this.#used.get(id) ?? 0)
    return { ...booked, lastUsedAt: used === 0 ? undefined : epochMs(used) }
  }

  /** Every key, the oldest first. */
  all(): BookedKey[] {
    return [...this.#keys.keys()]
      .flatMap((id) => this.get(id) ?? [])
      .sort((a, b) => a.stored.key.createdAt - b.stored.key.createdAt || (a.stored.key.id < b.stored.key.id ? -1 : 1))
  }

  /** Organisations that have virtual keys. */
  get orgs(): ReadonlySet<string> {
    this.#orgs ??= new Set([...this.#keys.values()].map(({ stored }) => stored.key.org))
    return this.#orgs
  }

  /** False until the store has answered once: a key that is not here may be one all the same. */
  get loaded(): boolean {
    return this.#loaded
  }

  get size(): number {
    return this.#keys.size
  }

  /** @throws IncipitError `conflict` when the name is taken or there are too many, `store_unavailable` */
  async add(stored: StoredKey): Promise<BookedKey> {
    if (this.#keys.size >= mostVirtualKeys) {
      throw new IncipitError('conflict', `there are ${this.#keys.size} keys, ${mostVirtualKeys} are allowed`)
    }
    const write = await this.#write((store) => store.insert(stored))
    return this.#written(write, stored)
  }

  /** @throws IncipitError `conflict` when it is another key by now, `not_found`, `store_unavailable` */
  async replace(stored: StoredKey, revision: number): Promise<BookedKey> {
    const write = await this.#write((store) => store.replace(stored, revision))
    return this.#written(write, stored)
  }

  /** @throws IncipitError `conflict` when it is another key by now, `store_unavailable` */
  async revoke(id: string, revision: number): Promise<void> {
    const write = await this.#write((store) => store.revoke(id, revision))
    if (write.kind !== 'written') throw await this.#conflict(write)
    this.#forgetForGood(id)
  }

  /** Learns what happened in the store; calls that come while it does share the answer. */
  follow(): Promise<void> {
    this.#following ??= this.#readChanges().finally(() => (this.#following = undefined))
    return this.#following
  }

  /** Follows the store from now on, until `close`. */
  start(): void {
    this.#followLater()
    this.#timers.use = setInterval(() => void this.#writeUses(), useMs).unref()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timers.follow)
    clearInterval(this.#timers.use)
    await this.#following?.catch(() => undefined)
    await this.#writeUses()
    await this.#ports.store.close()
  }

  #followLater(): void {
    if (this.#closed) return
    const inMs = Math.min(longestFollowMs, followMs * 2 ** Math.min(this.#silent, 10))
    this.#timers.follow = setTimeout(() => {
      this.follow().then(
        () => this.#heard(),
        (error: unknown) => this.#missed(error),
      )
    }, inMs).unref()
  }

  #heard(): void {
    if (this.#silent > 0) this.#ports.log.info('the store of virtual keys answers again')
    this.#silent = 0
    this.#followLater()
  }

  #missed(error: unknown): void {
    if (this.#silent === 0) {
      this.#ports.log.error({ err: error }, 'the store of virtual keys does not answer: those known last stay valid')
    }
    this.#silent += 1
    this.#followLater()
  }

  async #readChanges(): Promise<void> {
    for (;;) {
      const changes = await this.#ports.store.changes(this.#revision, pageSize)
      for (const change of changes) this.#learn(change)
      if (changes.length < pageSize) {
        this.#loaded = true
        return
      }
    }
  }

  #learn(change: KeyChange): void {
    this.#revision = Math.max(this.#revision, change.revision)
    if (change.kind === 'revoked') {
      this.#forgetForGood(change.id)
      return
    }
    if (this.#revoked.has(change.stored.key.id)) return
    const known = this.#keys.get(change.stored.key.id)
    // A change of our own may have been noted before the store told of an earlier one.
    if (known !== undefined && known.revision > change.revision) return
    this.#note(change)
  }

  #note({ stored, revision, lastUsedAt }: BookedKey): BookedKey {
    const { id } = stored.key
    this.#forget(id)
    const booked = { stored, revision, lastUsedAt }
    this.#keys.set(id, booked)
    for (const digest of digestsOf(stored)) this.#ids.set(digest, { id, digest: Buffer.from(digest, 'hex') })
    return booked
  }

  #forgetForGood(id: string): void {
    this.#revoked.add(id)
    this.#used.delete(id)
    this.#forget(id)
  }

  #forget(id: string): void {
    this.#orgs = undefined
    const known = this.#keys.get(id)
    if (known === undefined) return
    this.#keys.delete(id)
    for (const digest of digestsOf(known.stored)) this.#ids.delete(digest)
  }

  async #write(work: (store: KeyStore) => Promise<KeyWrite>): Promise<KeyWrite> {
    try {
      return await work(this.#ports.store)
    } catch (cause) {
      this.#ports.log.error({ err: cause }, 'the store of virtual keys did not take a change')
      throw new IncipitError('store_unavailable', 'the store of virtual keys did not take the change', { cause })
    }
  }

  async #written(write: KeyWrite, stored: StoredKey): Promise<BookedKey> {
    if (write.kind !== 'written') throw await this.#conflict(write, stored.key.name)
    const { lastUsedAt } = this.#keys.get(stored.key.id) ?? {}
    return this.#note({ stored, revision: write.revision, lastUsedAt })
  }

  async #conflict({ kind }: KeyWrite, name = ''): Promise<IncipitError> {
    if (kind === 'name-taken') return nameTaken(name)
    // Whoever asks again sees what the other gateway did.
    await this.follow().catch(() => undefined)
    return new IncipitError('conflict', 'the key was changed or revoked at the same time')
  }

  async #writeUses(): Promise<void> {
    if (this.#used.size === 0) return
    const uses = [...this.#used].map(([id, at]) => ({ id, at }))
    try {
      await this.#ports.store.noteUse(uses)
    } catch (error) {
      this.#ports.log.warn({ err: error }, 'when virtual keys were used last could not be written; it is tried again')
      return
    }
    for (const { id, at } of uses) {
      const booked = this.#keys.get(id)
      if (booked !== undefined) this.#keys.set(id, { ...booked, lastUsedAt: at })
      if (this.#used.get(id) === at) this.#used.delete(id)
    }
  }
}

/** @example throw nameTaken('web') */
export function nameTaken(name: string): IncipitError {
  return new IncipitError('conflict', `a key is named "${name}" already; names are unique over all organisations`, {
    param: '/name',
  })
}

function digestsOf({ digest, previous }: StoredKey): string[] {
  return previous === undefined ? [digest] : [digest, previous.digest]
}
