import type { EvictionPolicy, ChainUse } from './policy.ts'

interface Link<Key> {
  readonly key: Key
  parent: Link<Key> | undefined
  children: number
  pins: number
  older: Link<Key> | undefined
  newer: Link<Key> | undefined
}

/**
 * The least recently used block goes; of one request the last block first. The measure for other policies.
 * Every block is more recent than those below it, so that the oldest never has a child.
 *
 * @example const policy = new LruPolicy<string>()
 */
export class LruPolicy<Key> implements EvictionPolicy<Key> {
  readonly #links = new Map<Key, Link<Key>>()
  #newest: Link<Key> | undefined
  #oldest: Link<Key> | undefined

  use({ blocks }: ChainUse<Key>): void {
    for (let index = blocks.length - 1; index >= 0; index--) {
      const link = this.#links.get(blocks[index] as Key)
      if (link === undefined) continue
      this.#unlink(link)
      this.#linkBehind(link, undefined)
    }
  }

  admit(key: Key, parentKey: Key | undefined): void {
    const parent = parentKey === undefined ? undefined : this.#held(parentKey)
    if (this.#links.has(key)) throw new RangeError('the block is held already')
    const link: Link<Key> = { key, parent, children: 0, pins: 0, older: undefined, newer: undefined }
    this.#links.set(key, link)
    if (parent !== undefined) parent.children++
    this.#linkBehind(link, parent)
  }

  victim(): Key | undefined {
    let link = this.#oldest
    while (link !== undefined && (link.pins > 0 || link.children > 0)) link = link.newer
    return link?.key
  }

  remove(key: Key): void {
    const link = this.#held(key)
    if (link.children > 0) throw new RangeError(`the block has ${link.children} held children`)
    if (link.pins > 0) throw new RangeError(`the block is pinned ${link.pins} times`)
    this.#drop(link)
  }

  forget(key: Key): void {
    const link = this.#links.get(key)
    if (link !== undefined) this.#drop(link)
  }

  split(key: Key, upperKey: Key): void {
    const lower = this.#held(key)
    if (this.#links.has(upperKey)) throw new RangeError('the upper part is held already')
    const { parent } = lower
    const upper: Link<Key> = { key: upperKey, parent, children: 1, pins: 0, older: undefined, newer: undefined }
    this.#links.set(upperKey, upper)
    this.#linkBehind(upper, lower.newer)
    lower.parent = upper
  }

  pin(key: Key): void {
    this.#held(key).pins++
  }

  unpin(key: Key): void {
    const link = this.#held(key)
    if (link.pins === 0) throw new RangeError('the block is not pinned')
    link.pins--
  }

  #held(key: Key): Link<Key> {
    const link = this.#links.get(key)
    if (link === undefined) throw new RangeError('the block is not held')
    return link
  }

  #drop(link: Link<Key>): void {
    if (link.parent !== undefined) link.parent.children--
    this.#links.delete(link.key)
    this.#unlink(link)
  }

  #unlink(link: Link<Key>): void {
    if (link.newer === undefined) this.#newest = link.older
    else link.newer.older = link.older
    if (link.older === undefined) this.#oldest = link.newer
    else link.older.newer = link.newer
  }

  /** Puts a block one place behind `newer`, or in front of all. */
  #linkBehind(link: Link<Key>, newer: Link<Key> | undefined): void {
    const older = newer === undefined ? this.#newest : newer.older
    link.newer = newer
    link.older = older
    if (newer === undefined) this.#newest = link
    else newer.older = link
    if (older === undefined) this.#oldest = link
    else older.newer = link
  }
}
