import { epochMs, localPrices, orgId, PriceList, usdText } from '@incipit/core'
import { expect, test } from 'vitest'
import { nodeHasher } from '../ports/node-hasher.ts'
import type { KeptCache } from './storage-events.ts'
import { storageEvents } from './storage-events.ts'

const house = {
  prices: new PriceList('local', localPrices),
  hasher: nodeHasher,
  secret: new Uint8Array(32).fill(7),
  config: { generation: 3, hash: 'c0ffee' } as Parameters<typeof storageEvents>[1]['config'], // no more of it is read
}

function kept(since: string, until: string, more: Partial<KeptCache> = {}): KeptCache {
  return {
    name: 'cachedContents/1',
    org: orgId('acme'),
    provider: 'gemini',
    upstream: undefined,
    model: 'gemini-3.8-flash',
    tokens: 1_000_000,
    since: epochMs(Date.parse(since)),
    until: epochMs(Date.parse(until)),
    ...more,
  }
}

const shown = (cache: KeptCache): unknown =>
  storageEvents(cache, house).map(({ at, storage, cost }) => [
    new Date(at).toISOString(),
    storage,
    cost === undefined ? undefined : usdText(cost),
  ])

test('D-44 storage is token-hours at the price of its day, a row for each day', () => {
  // Half a dollar per million and hour until the end of the year, then a whole one.
  expect(shown(kept('2026-12-31T22:30:00Z', '2027-01-01T02:00:00Z'))).toEqual([
    ['2026-12-31T22:30:00.000Z', 1_500_000, '0.75'],
    ['2027-01-01T00:00:00.000Z', 2_000_000, '2'],
  ])
  expect(shown(kept('2026-11-01T00:00:00Z', '2026-11-01T00:00:01Z', { tokens: 9_216 }))).toEqual([
    ['2026-11-01T00:00:00.000Z', 2.56, '0.00000128'],
  ])
})

test('D-44 it saves nothing by itself, and where nobody knows its price its cost is unknown, never nothing', () => {
  const [row] = storageEvents(kept('2026-11-01T00:00:00Z', '2026-11-01T01:00:00Z'), house)
  expect(row).toMatchObject({ kind: 'storage', counterfactual: 0n, configGeneration: 3, inputTokens: undefined })
  const unknown = kept('2026-11-01T00:00:00Z', '2026-11-01T01:00:00Z', { model: 'unheard-of' })
  expect(storageEvents(unknown, house)).toMatchObject([{ cost: undefined, counterfactual: undefined }])
})

test('D-44 the same piece has the same id, and another one another', () => {
  const idsOf = (cache: KeptCache): string[] => storageEvents(cache, house).map(({ id }) => id)
  const days = idsOf(kept('2026-11-01T12:00:00Z', '2026-11-04T12:00:00Z'))
  expect(new Set(days).size).toBe(4)
  expect(idsOf(kept('2026-11-01T12:00:00Z', '2026-11-03T00:00:00Z'))).toEqual(days.slice(0, 2))
  for (const other of [{ name: 'cachedContents/2' }, { org: orgId('b') }, { model: 'gemini-2.5-pro' }]) {
    expect(days).not.toContain(idsOf(kept('2026-11-01T12:00:00Z', '2026-11-01T13:00:00Z', other))[0])
  }
})
