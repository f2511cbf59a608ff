import { epochMs, milliseconds, orgId } from '@incipit/core'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, expect, test } from 'vitest'
import { changedKey, newKey, rotatedKey } from './change-key.ts'
import { KeyBook } from './key-book.ts'
import type { KeyStore } from './key-store.ts'
import { keyDigest } from './key-text.ts'
import { ThreadedKeyStore } from './threaded-key-store.ts'

const log = pino({ level: 'silent' })
const clock = { at: Date.UTC(2026, 10, 26), now: () => epochMs(clock.at), monotonic: () => milliseconds(0) }
const opened: KeyBook[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((book) => book.close()))
})

test('two books of one store agree after each has asked, whatever they did in turns', async () => {
  const file = newFile()
  const [one, two] = [aBook(file), aBook(file)]
  const minted = mint('web')
  const made = await one.add(minted.stored)
  await two.follow()
  expect(two.find(keyDigest(minted.secret))?.name).toBe('web')
  const disabled = await two.replace(changedKey(made.stored, { disabled: true }, clock.now()), made.revision)
  // The first one has not heard of it: what it writes would undo the other's change.
  await expect(
    one.replace(changedKey(made.stored, { role: 'admin' }, clock.now()), made.revision),
  ).rejects.toMatchObject({ code: 'conflict' })
  expect(one.find(keyDigest(minted.secret))?.disabled).toBe(true)
  await one.revoke(disabled.stored.key.id, disabled.revision)
  await two.follow()
  expect([one.size, two.size, two.find(keyDigest(minted.secret))]).toEqual([0, 0, undefined])
  expect(two.orgs.size).toBe(0)
})

test('a rotated secret is valid until its grace is over, and not a moment longer', async () => {
  const book = aBook(newFile())
  const minted = mint('web')
  const { stored, revision } = await book.add(minted.stored)
  const rotated = rotatedKey(stored, 60, clock.now())
  await book.replace(rotated.stored, revision)
  const valid = (secret: string): boolean => book.find(keyDigest(secret)) !== undefined
  expect([valid(minted.secret), valid(rotated.secret)]).toEqual([true, true])
  clock.at += 60_000
  expect([valid(minted.secret), valid(rotated.secret)]).toEqual([false, true])
})

test('a late answer of the store does not bring a revoked key back', async () => {
  const store = new ThreadedKeyStore({ file: newFile() })
  let late: Promise<void> | undefined
  let answer = (): void => undefined
  const slow: KeyStore = wrapped(store, {
    changes: async (after, limit) => {
      const changes = await store.changes(after, limit)
      await late
      return changes
    },
  })
  const book = new KeyBook({ store: slow, clock, log })
  opened.push(book)
  const minted = mint('web')
  const { stored, revision } = await book.add(minted.stored)
  late = new Promise((resolve) => (answer = resolve))
  const following = book.follow()
  await book.revoke(stored.key.id, revision)
  answer()
  await following
  expect(book.find(keyDigest(minted.secret))).toBeUndefined()
})

test('a store that fails leaves the keys known last valid, and a change is refused as such', async () => {
  const store = new ThreadedKeyStore({ file: newFile() })
  let broken = false
  const failing = <T>(work: () => Promise<T>): Promise<T> =>
    broken ? Promise.reject(new Error('disk I/O error')) : work()
  const book = new KeyBook({
    clock,
    log,
    store: wrapped(store, {
      changes: (after, limit) => failing(() => store.changes(after, limit)),
      insert: (key) => failing(() => store.insert(key)),
    }),
  })
  opened.push(book)
  const minted = mint('web')
  await book.add(minted.stored)
  broken = true
  await expect(book.follow()).rejects.toThrow('disk I/O error')
  await expect(book.add(mint('other').stored)).rejects.toMatchObject({ code: 'store_unavailable', status: 503 })
  expect(book.find(keyDigest(minted.secret))?.name).toBe('web')
  broken = false
  await book.follow()
  await book.add(mint('other').stored)
  expect(book.size).toBe(2)
})

test('the last use is known at once here, and elsewhere after a close; a use costs no write', async () => {
  const file = newFile()
  const store = new ThreadedKeyStore({ file })
  let writes = 0
  const counted = wrapped(store, { noteUse: (uses) => ((writes += 1), store.noteUse(uses)) })
  const book = new KeyBook({ store: counted, clock, log })
  const { stored } = await book.add(mint('web').stored)
  for (let use = 0; use < 1_000; use++) book.noteUse(stored.key.id)
  expect([book.get(stored.key.id)?.lastUsedAt, writes]).toEqual([clock.at, 0])
  await book.close()
  expect(writes).toBe(1)
  const other = aBook(file)
  await other.follow()
  expect(other.get(stored.key.id)?.lastUsedAt).toBe(clock.at)
})

function aBook(file: string): KeyBook {
  const book = new KeyBook({ store: new ThreadedKeyStore({ file }), clock, log })
  opened.push(book)
  return book
}

function mint(name: string): ReturnType<typeof newKey> {
  const draft = { org: orgId('acme'), name, role: 'member', disabled: false, metadata: {} } as const
  return newKey(draft, { now: clock.now(), by: undefined })
}

function wrapped(store: KeyStore, other: Partial<KeyStore>): KeyStore {
  return {
    changes: (after, limit) => store.changes(after, limit),
    insert: (stored) => store.insert(stored),
    replace: (stored, revision) => store.replace(stored, revision),
    revoke: (id, revision) => store.revoke(id, revision),
    noteUse: (uses) => store.noteUse(uses),
    close: () => store.close(),
    ...other,
  }
}

function newFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'incipit-keys-')), 'keys.db')
}
