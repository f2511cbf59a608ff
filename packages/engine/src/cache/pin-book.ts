import { blockTokens } from './block-key.ts'
import type { PinFile, StoredPin } from './disk/pin-file.ts'
import type { KeptPrefix } from './pinned-blocks.ts'
import { PinnedBlocks } from './pinned-blocks.ts'
import { sharedLength } from './shared-length.ts'

/** A prefix to keep. */
export interface NewPin {
  /** An equal id takes an earlier pin's place; without one the prefix itself does. */
  readonly id?: string | undefined
  readonly scope: string
  readonly tokens: Int32Array
  readonly ttlMs: number
  /** A request that begins with the prefix starts its life anew. */
  readonly refreshes: boolean
}

/** A prefix that is kept until it expires. */
export interface PinnedPrefix extends NewPin {
  readonly id: string
  readonly pinnedAt: number
  readonly ttlMs: number
  readonly expiresAt: number
  /** Requests that began with it. */
  readonly reads: number
}

interface Held extends PinnedPrefix, KeptPrefix {
  ttlMs: number
  expiresAt: number
  reads: number
}

export interface PinBookOptions {
  readonly keysOf: (scope: string, tokens: Int32Array, blocks: number) => readonly string[]
  readonly maxPins?: number
  /** Where their blocks are kept. What no tier has room for is given up; without any, `limit` says how much fits. */
  readonly tiers?: readonly PinnedBlocks[]
  /** Remembers them over a restart; `undefined` = nothing does. */
  readonly file?: PinFile | undefined
}

const defaultMaxPins = 1_024

/**
 * Prefixes that clients asked to keep, with their lives. Kept means: dropped behind everything that is not, and never
 * more than half of what a tier holds. Time comes with the requests; it never runs backwards.
 */
export class PinBook {
  readonly #options: PinBookOptions
  readonly #tiers: readonly PinnedBlocks[]
  readonly #pins = new Map<string, Held>()
  /** The blocks of all of them. */
  readonly #all = new PinnedBlocks()
  #now = 0
  #dropped = 0

  constructor(options: PinBookOptions) {
    this.#options = options
    this.#tiers = options.tiers ?? []
    for (const pin of options.file?.load() ?? []) this.#hold({ ...pin, keys: this.#keysOf(pin) })
  }

  get size(): number {
    return this.#pins.size
  }

  /** Tokens of blocks that are kept, shared ones counted once. */
  get tokens(): number {
    return this.#all.size * blockTokens
  }

  /** Pins given up before their time, for want of room. */
  get dropped(): number {
    return this.#dropped
  }

  /** What is alive, in order of pinning. */
  list(): readonly PinnedPrefix[] {
    return [...this.#pins.values()]
  }

  /** It is `now`: what has expired goes. */
  advance(now: number): void {
    if (now <= this.#now) return
    this.#now = now
    for (const pin of this.#pins.values()) if (pin.expiresAt <= now) this.#remove(pin)
  }

  /** Keeps a prefix for its life from now on. */
  add(pin: NewPin): PinnedPrefix {
    const { scope, tokens } = pin
    const keys = this.#keysOf(pin)
    const id = pin.id ?? this.#idOf(scope, tokens) ?? nameOf(pin, keys)
    const before = this.#pins.get(id)
    // A shorter life that is asked for later takes nothing from a longer one; under an id given the latest counts.
    const longer = pin.id === undefined ? before : undefined
    const ttlMs = Math.max(pin.ttlMs, longer?.ttlMs ?? 0)
    const expiresAt = Math.max(this.#now + ttlMs, longer?.expiresAt ?? 0)
    if (before !== undefined) this.#remove(before)
    const { pinnedAt = this.#now, reads = 0 } = before ?? {}
    const held = this.#hold({ ...pin, id, keys, ttlMs, pinnedAt, expiresAt, reads })
    while (this.#pins.size > (this.#options.maxPins ?? defaultMaxPins)) this.#dropSoonest()
    this.#save()
    return held
  }

  /** A request begins with these tokens: pins that it holds whole are read. */
  use(scope: string, tokens: Int32Array): void {
    for (const pin of this.#pins.values()) {
      const { length } = pin.tokens
      if (pin.scope !== scope || length > tokens.length || sharedLength(pin.tokens, tokens) < length) continue
      pin.reads++
      if (pin.refreshes) pin.expiresAt = Math.max(pin.expiresAt, this.#now + pin.ttlMs)
      // A tier that gave it up may have room again, or keep something that now expires sooner.
      for (const tier of this.#tiers) tier.add(pin)
      this.#save()
    }
  }

  /** Another life, from now on. @returns the pin, unless there is none of this id in the scope */
  extend(scope: string, id: string, ttlMs: number): PinnedPrefix | undefined {
    const pin = this.#pins.get(id)
    if (pin === undefined || pin.scope !== scope) return undefined
    pin.ttlMs = ttlMs
    pin.expiresAt = this.#now + ttlMs
    this.#save()
    return pin
  }

  /** @returns whether there was such a pin in the scope */
  remove(scope: string, id: string): boolean {
    const pin = this.#pins.get(id)
    if (pin === undefined || pin.scope !== scope) return false
    this.#remove(pin)
    return true
  }

  /** Where no tier keeps them: gives up what expires soonest until at most `blocks` blocks are kept. */
  limit(blocks: number): void {
    this.#all.limit(blocks)
  }

  /** Where no tier keeps them: gives up what expires soonest. False when nothing is pinned. */
  giveWay(): boolean {
    return this.#all.giveWay()
  }

  /** Side effect: the file of pins says so when this returns. */
  reset(scopePrefix: string): void {
    for (const pin of this.#pins.values()) if (pin.scope.startsWith(scopePrefix)) this.#remove(pin)
    this.flush()
  }

  /** Writes down what is not written yet. */
  flush(): void {
    this.#options.file?.flush()
  }

  #keysOf({ scope, tokens }: Pick<NewPin, 'scope' | 'tokens'>): readonly string[] {
    return this.#options.keysOf(scope, tokens, Math.floor(tokens.length / blockTokens))
  }

  #idOf(scope: string, tokens: Int32Array): string | undefined {
    for (const pin of this.#pins.values()) {
      const same = pin.scope === scope && pin.tokens.length === tokens.length
      if (same && sharedLength(pin.tokens, tokens) === tokens.length) return pin.id
    }
    return undefined
  }

  #hold(pin: StoredPin & Pick<KeptPrefix, 'keys'>): Held {
    // A tier without room for it says so before the next one has been asked.
    let asked = false
    const held: Held = { ...pin, lost: () => asked && this.#lose(held) }
    this.#pins.set(held.id, held)
    for (const tier of [this.#all, ...this.#tiers]) tier.add(held)
    asked = true
    if (![this.#all, ...this.#tiers].every((tier) => tier.has(held))) this.#lose(held)
    return held
  }

  /** Some tier has no room for a pin: without any that keeps it there is no such pin. */
  #lose(pin: Held): void {
    if (!this.#pins.has(pin.id) || this.#tiers.some((tier) => tier.has(pin))) return
    this.#remove(pin)
    this.#dropped++
  }

  #dropSoonest(): void {
    let soonest: Held | undefined
    for (const pin of this.#pins.values()) {
      if (soonest === undefined || pin.expiresAt < soonest.expiresAt) soonest = pin
    }
    if (soonest === undefined) return
    this.#remove(soonest)
    this.#dropped++
  }

  #remove(pin: PinnedPrefix): void {
    const held = this.#pins.get(pin.id)
    if (held === undefined) return
    this.#pins.delete(pin.id)
    for (const tier of [this.#all, ...this.#tiers]) tier.delete(held)
    this.#save()
  }

  #save(): void {
    this.#options.file?.save(() => this.list())
  }
}

/** The same for the same prefix, and for no other: keys say nothing of the tokens behind the last whole block. */
function nameOf({ scope, tokens }: NewPin, keys: readonly string[]): string {
  return `${scope.length}:${scope}${keys.at(-1) ?? ''}:${tokens.subarray(keys.length * blockTokens).join('.')}`
}
