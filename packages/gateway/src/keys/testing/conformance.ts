import type { EpochMs } from '@incipit/core'
import { epochMs, orgId } from '@incipit/core'
import { expect, test } from 'vitest'
import type { KeyStore } from '../key-store.ts'
import { keyDigest } from '../key-text.ts'
import type { StoredKey, VirtualKey } from '../virtual-key.ts'

const at: EpochMs = epochMs(Date.UTC(2026, 10, 26))

/** A key as a test wants it. */
export function aStoredKey(name: string, more: Partial<VirtualKey> = {}): StoredKey {
  const key: VirtualKey = {
    id: `key_${keyDigest(name).toString('hex').slice(0, 24)}`,
    org: orgId('acme'),
    name,
    role: 'member',
    scopes: {},
    limits: { tpmCounts: 'all' },
    expiresAt: undefined,
    disabled: false,
    metadata: {},
    hint: 'inc_...0000',
    createdAt: at,
    createdBy: undefined,
    updatedAt: at,
    rotatedAt: undefined,
    ...more,
  }
  return { key, digest: keyDigest(`secret of ${name}`).toString('hex'), previous: undefined }
}

/**
 * What every store of virtual keys does. `open` opens the same store again and again; `fresh` makes another one.
 */
export function keyStoreConformance(name: string, fresh: () => Promise<() => Promise<KeyStore>>): void {
  test(`${name}: an empty store has no changes`, async () => {
    const store = await (await fresh())()
    expect(await store.changes(0, 10)).toEqual([])
    await store.close()
  })

  test(`${name}: what was written comes back whole, from another opening too`, async () => {
    const open = await fresh()
    const store = await open()
    const full = aStoredKey('web', {
      role: 'admin',
      scopes: { models: ['gpt-*'], upstreams: ['engine'], endpoints: ['data'] },
      limits: { tpmCounts: 'uncached', rpm: 5, usdPerDay: 0.25 },
      expiresAt: epochMs(at + 1_000),
      metadata: { team: 'größe', nested: { deep: [1, null, 'x'] } },
      createdBy: 'root',
    })
    const stored = { ...full, previous: { digest: 'ab'.repeat(32), until: epochMs(at + 5) } }
    expect(await store.insert(stored)).toEqual({ kind: 'written', revision: 1 })
    const other = await open()
    expect(await other.changes(0, 10)).toEqual([{ kind: 'kept', revision: 1, stored, lastUsedAt: undefined }])
    await store.close()
    await other.close()
  })

  test(`${name}: a name is taken while a key has it, and free once that is revoked`, async () => {
    const store = await (await fresh())()
    const first = aStoredKey('web')
    const second = { ...aStoredKey('web', { id: `key_${'2'.repeat(24)}` }), digest: 'cd'.repeat(32) }
    await store.insert(first)
    expect(await store.insert(second)).toEqual({ kind: 'name-taken' })
    expect(await store.revoke(first.key.id, 1)).toMatchObject({ kind: 'written' })
    expect(await store.insert(second)).toMatchObject({ kind: 'written' })
    await store.close()
  })

  test(`${name}: a change is refused when another one came first, and after a revocation`, async () => {
    const store = await (await fresh())()
    const stored = aStoredKey('web')
    await store.insert(stored)
    const disabled = { ...stored, key: { ...stored.key, disabled: true } }
    expect(await store.replace(disabled, 1)).toEqual({ kind: 'written', revision: 2 })
    expect(await store.replace(stored, 1)).toEqual({ kind: 'changed' })
    expect(await store.revoke(stored.key.id, 1)).toEqual({ kind: 'changed' })
    expect(await store.revoke(stored.key.id, 2)).toEqual({ kind: 'written', revision: 3 })
    expect(await store.replace(disabled, 3)).toEqual({ kind: 'changed' })
    expect(await store.changes(0, 10)).toEqual([{ kind: 'revoked', id: stored.key.id, revision: 3 }])
    await store.close()
  })

  test(`${name}: changes come in order, in pages, and only those after a revision`, async () => {
    const store = await (await fresh())()
    const keys = ['a', 'b', 'c'].map((key) => aStoredKey(key))
    for (const key of keys) await store.insert(key)
    await store.replace(keys[0] ?? aStoredKey('a'), 1)
    const revisions = async (after: number, limit: number): Promise<number[]> =>
      (await store.changes(after, limit)).map(({ revision }) => revision)
    expect(await revisions(0, 10)).toEqual([2, 3, 4])
    expect(await revisions(0, 2)).toEqual([2, 3])
    expect(await revisions(3, 2)).toEqual([4])
    await store.close()
  })

  test(`${name}: the last use only ever moves forward, and is no change`, async () => {
    const store = await (await fresh())()
    const { key } = aStoredKey('web')
    await store.insert(aStoredKey('web'))
    await store.noteUse([{ id: key.id, at: epochMs(at + 10) }])
    await store.noteUse([
      { id: key.id, at: epochMs(at + 5) },
      { id: `key_${'0'.repeat(24)}`, at },
    ])
    expect(await store.changes(0, 10)).toMatchObject([{ revision: 1, lastUsedAt: at + 10 }])
    await store.close()
  })

  test(`${name}: of two that write at the same time, every write is one or the other`, async () => {
    const open = await fresh()
    const stores = await Promise.all([open(), open()])
    const writes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const stored = aStoredKey(`key ${index % 10}`, { id: `key_${String(index).padStart(24, '0')}` })
        return stores[index % 2]?.insert({ ...stored, digest: keyDigest(`s${index}`).toString('hex') })
      }),
    )
    expect(writes.filter((write) => write?.kind === 'written')).toHaveLength(10)
    const changes = await stores[0]?.changes(0, 100)
    expect(changes?.map(({ revision }) => revision)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    await Promise.all(stores.map((store) => store.close()))
  })
}
