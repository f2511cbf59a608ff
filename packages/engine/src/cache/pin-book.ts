import { blockTokens } from './block-key.ts'
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
  expiresAt: number
  /** Requests that began with it. */
  reads: number
}

interface Held extends PinnedPrefix {
  readonly keys: readonly string[]
}

export interface PinBookOptions {
  readonly keysOf: (scope: string, tokens: Int32Array, blocks: number) => readonly string[]
  readonly maxPins?: number
}

const defaultMaxPins = 1_024

/**
 * Prefixes that clients asked to keep, with their lives. Kept means: evicted behind everything that is not, and never
 * more than half of what a tier holds. Time comes with the requests; it never runs backwards.
 */
export class PinBook {
  readonly #options: PinBookOptions
  readonly #pins = new Map<string, Held>()
  /** Keys of the blocks of all pins, with how many pins each is part of. */
  readonly #kept = new Map<string, number>()
  #now = 0
  #dropped = 0

  constructor(options: PinBookOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#pins.size
  }

  /** Tokens of blocks that are kept, shared ones counted once. */
  get tokens(): number {
    return this.#kept.size * blockTokens
  }

  /** Pins given up before their time, for want of room. */
  get dropped(): number {
    return this.#dropped
  }

  /** What is alive, in order of pinning. */
  list(): readonly PinnedPrefix[] {
    return [...this.#pins.values()]
  }

  /** Whether a block is part of what is to be kept. */
  keeps(key: string): boolean {
    return this.#kept.has(key)
  }

  /** It is `now`: what has expired goes. */
  advance(now: number): void {
    if (now <= this.#now) return
    this.#now = now
    for (const pin of this.#pins.values()) if (pin.expiresAt <= now) this.#remove(pin)
  }

  /** Keeps a prefix for its life from now on. */
  add(pin: NewPin): PinnedPrefix {
    const { scope, tokens, ttlMs } = pin
    const keys = this.#options.keysOf(scope, tokens, Math.floor(tokens.length / blockTokens))
    const id = pin.id ?? this.#idOf(scope, tokens) ?? `${scope.length}:${scope}${keys.at(-1) ?? ''}:${tokens.length}`
    const before = this.#pins.get(id)
    // A shorter life that is asked for later takes nothing from a longer one.
    const expiresAt = Math.max(this.#now + ttlMs, pin.id === undefined ? (before?.expiresAt ?? 0) : 0)
    if (before !== undefined) this.#remove(before)
    const held = { ...pin, id, keys, pinnedAt: before?.pinnedAt ?? this.#now, expiresAt, reads: before?.reads ?? 0 }
    this.#pins.set(id, held)
    for (const key of keys) this.#kept.set(key, (this.#kept.get(key) ?? 0) + 1)
    while (this.#pins.size > (this.#options.maxPins ?? defaultMaxPins)) this.#dropSoonest()
    return held
  }

  /** A request begins with these tokens: pins that it holds whole are read. */
  use(scope: string, tokens: Int32Array): void {
    for (const pin of this.#pins.values()) {
      const { length } = pin.tokens
      if (pin.scope !== scope || length > tokens.length || sharedLength(pin.tokens, tokens) < length) continue
      pin.reads++
      if (pin.refreshes) pin.expiresAt = Math.max(pin.expiresAt, this.#now + pin.ttlMs)
    }
  }

  /** Another life, from now on. @returns the pin, unless there is none of this id in the scope */
  extend(scope: string, id: string, ttlMs: number): PinnedPrefix | undefined {
    const pin = this.#pins.get(id)
    if (pin === undefined || pin.scope !== scope) return undefined
    const changed = { ...pin, ttlMs, expiresAt: this.#now + ttlMs }
    this.#pins.set(id, changed)
    return changed
  }

  /** @returns whether there was such a pin in the scope */
  remove(scope: string, id: string): boolean {
    const pin = this.#pins.get(id)
    if (pin === undefined || pin.scope !== scope) return false
    this.#remove(pin)
    return true
  }

  /** Gives up what expires soonest until at most `blocks` blocks are kept. */
  limit(blocks: number): void {
    while (this.#kept.size > blocks && this.#pins.size > 0) this.#dropSoonest()
  }

  reset(scopePrefix: string): void {
    for (const pin of this.#pins.values()) if (pin.scope.startsWith(scopePrefix)) this.#remove(pin)
  }

  #idOf(scope: string, tokens: Int32Array): string | undefined {
    for (const pin of this.#pins.values()) {
      const same = pin.scope === scope && pin.tokens.length === tokens.length
      if (same && sharedLength(pin.tokens, tokens) === tokens.length) return pin.id
    }
    return undefined
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
    for (const key of held.keys) {
      const count = (this.#kept.get(key) ?? 1) - 1
      if (count === 0) this.#kept.delete(key)
      else this.#kept.set(key, count)
    }
  }
}
