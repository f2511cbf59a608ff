import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { aUse } from '../testing/chain-use.ts'
import { blockTokens } from './block-key.ts'
import type { NewBlock } from './block-shelf.ts'
import { BlockShelf } from './block-shelf.ts'
import { PinBook } from './pin-book.ts'

/** Keys of the blocks of a prefix that is told by one letter per block. */
function keysOf(letters: string): string[] {
  return Array.from({ length: letters.length }, (_, index) => letters.slice(0, index + 1))
}

/** A tier of so many blocks, without states. */
class Tier {
  readonly shelf: BlockShelf<number> = new BlockShelf({ now: () => 0 })
  readonly #blocks: number

  constructor(blocks: number) {
    this.#blocks = blocks
    this.shelf.fits(blocks)
  }

  /** A request, and what it leaves behind. */
  request(letters: string): void {
    const keys = keysOf(letters)
    this.shelf.use(aUse(keys))
    for (const [index, key] of keys.entries()) {
      if (this.shelf.has(key)) continue
      const block: NewBlock = { key, parentKey: keys[index - 1], scope: 's', tokens: new Int32Array(1) }
      if (this.shelf.claim(block, { full: this.shelf.size === this.#blocks }) === undefined) return
      this.shelf.put(block, 0)
    }
  }

  holds(letters: string): boolean {
    return this.shelf.has(letters)
  }
}

/** A prefix of which each block is one letter, many times. */
function lettersOf(tokens: Int32Array): string {
  const first = Array.from({ length: tokens.length / blockTokens }, (_, block) => tokens[block * blockTokens] ?? 0)
  return String.fromCodePoint(...first)
}

/** Pins of prefixes of letters. */
function aBook(...tiers: readonly Tier[]): { book: PinBook; pin: (letters: string, ttlMs: number) => void } {
  const book = new PinBook({
    keysOf: (_, tokens) => keysOf(lettersOf(tokens)),
    tiers: tiers.map(({ shelf }) => shelf.pins()),
  })
  const pin = (letters: string, ttlMs: number): void => {
    const tokens = Int32Array.from({ length: letters.length * blockTokens }, (_, at) => {
      return letters.codePointAt(Math.floor(at / blockTokens)) ?? 0
    })
    book.add({ scope: 's', tokens, ttlMs, refreshes: true })
  }
  return { book, pin }
}

test('P-1 P-7 what the small tier has no room to keep stays kept in the large one, and is given up where none has', () => {
  const [ram, disk] = [new Tier(4), new Tier(12)]
  const { book, pin } = aBook(ram, disk)
  const request = (letters: string): void => {
    for (const tier of [ram, disk]) tier.request(letters)
  }
  for (const [letters, ttlMs] of [
    ['ab', 10],
    ['cd', 30],
    ['ef', 20],
  ] as const) {
    request(letters)
    pin(letters, ttlMs)
  }
  for (const other of ['ghi', 'jkl', 'mno', 'pqr']) request(other)
  const held = (tier: Tier): boolean[] => ['ab', 'cd', 'ef'].map((letters) => tier.holds(letters))
  // Half of four blocks, and half of twelve.
  expect([held(ram), held(disk)]).toEqual([
    [false, true, false],
    [true, true, true],
  ])
  expect([book.size, book.dropped]).toEqual([3, 0])
  pin('stu', 40)
  expect(book.list().map(({ ttlMs }) => ttlMs)).toEqual([30, 40])
  expect(book.dropped).toBe(2)
  // What a tier could not hold alone takes nothing from others.
  pin('vwxyzvwxyz', 50)
  expect(book.list().map(({ ttlMs }) => ttlMs)).toEqual([30, 40])
  for (const other of ['g2g', 'h2h', 'i2i', 'j2j']) request(other)
  expect(held(ram)).toEqual([false, true, false])
  book.advance(100)
  for (const other of ['g1g', 'h1h', 'i1i', 'j1j']) request(other)
  expect([...held(ram), ...held(disk)]).toEqual([false, false, false, false, false, false])
})

test('P-7 whatever is pinned, used, stored and given up: pinned blocks stay, and are at most half of a tier', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 })
  const step = fc.oneof(
    fc.record({ request: letters }),
    fc.record({ request: letters }),
    fc.record({ pin: letters, ttlMs: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ wait: fc.nat(10) }),
    fc.record({ reset: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 12 }), (steps, blocks) => {
      const tier = new Tier(blocks)
      const { book, pin } = aBook(tier)
      let now = 0
      const givenUp: number[] = []
      const gone: string[] = []
      for (const one of steps) {
        const pinned = book
          .list()
          .flatMap(({ tokens }) => keysOf(lettersOf(tokens)))
          .filter((key) => tier.shelf.has(key))
        const before = book.list().filter(({ expiresAt }) => expiresAt > now)
        if ('request' in one) tier.request(one.request)
        else if ('pin' in one) pin(one.pin, one.ttlMs)
        else if ('wait' in one) book.advance((now += one.wait))
        else if (one.reset) {
          book.reset('')
          tier.shelf.reset('')
        }
        expect(tier.shelf.size).toBeLessThanOrEqual(blocks)
        expect(book.tokens).toBeLessThanOrEqual(Math.floor(blocks / 2) * blockTokens)
        // A request alone gives nothing up: there is always another block to drop.
        if ('request' in one) {
          givenUp.push(before.length - book.size)
          gone.push(...pinned.filter((key) => !tier.shelf.has(key)))
        }
        const all = tier.shelf.lastUsedFirst()
        expect(all.filter(({ parentKey }) => parentKey !== undefined && !tier.shelf.has(parentKey))).toEqual([])
      }
      expect([Math.max(0, ...givenUp), ...gone]).toEqual([0])
    }),
  )
})
