import type { EpochMs, PicoUsd } from '@incipit/core'
import { epochMs, milliseconds, picoUsd } from '@incipit/core'
import { expect, test } from 'vitest'
import type { Spender, SpendSource } from './spend-book.ts'
import { endOf, SpendBook, startOf } from './spend-book.ts'

const acme: Spender = { kind: 'org', name: 'acme' }
const noon = Date.UTC(2026, 10, 30, 12)

/** A ledger of costs by time, and a clock that is set by hand. */
function aHouse(rows: { at: number; cost: bigint }[] = []): {
  clock: { at: number; ticks: number; now: () => EpochMs; monotonic: () => ReturnType<typeof milliseconds> }
  source: SpendSource & { asked: number; broken: boolean; gate: Promise<void> }
  rows: { at: number; cost: bigint }[]
} {
  const clock = { at: noon, ticks: 0, now: () => epochMs(clock.at), monotonic: () => milliseconds(clock.ticks) }
  const source = {
    asked: 0,
    broken: false,
    gate: Promise.resolve(),
    spent: async (_who: Spender, since: EpochMs | undefined): Promise<PicoUsd> => {
      source.asked += 1
      const counted = rows.filter(({ at }) => at >= (since ?? 0)).reduce((sum, { cost }) => sum + cost, 0n)
      await source.gate
      if (source.broken) throw new Error('the ledger is locked')
      return picoUsd(counted)
    },
  }
  return { clock, source, rows }
}

test('what was spent before a restart counts, by days and months of UTC', async () => {
  const rows = [
    { at: Date.UTC(2026, 9, 31, 23, 59), cost: 1n },
    { at: Date.UTC(2026, 10, 1), cost: 10n },
    { at: Date.UTC(2026, 10, 30), cost: 100n },
  ]
  const { clock, source } = aHouse(rows)
  const book = new SpendBook(source, clock)
  const all = await Promise.all((['day', 'month', 'total'] as const).map((period) => book.of(acme, period)))
  expect(all).toEqual([
    { amount: 100n, verified: true },
    { amount: 110n, verified: true },
    { amount: 111n, verified: true },
  ])
})

test('a cost counts at once and the ledger is not asked again for it; a new day begins at nothing', async () => {
  const { clock, source } = aHouse()
  const book = new SpendBook(source, clock)
  await book.of(acme, 'day')
  book.add(acme, picoUsd(5n), epochMs(noon))
  expect([await book.of(acme, 'day'), source.asked]).toEqual([{ amount: 5n, verified: true }, 1])
  clock.at += 12 * 3_600_000
  expect((await book.of(acme, 'day')).amount).toBe(0n)
  // What began yesterday is yesterday's.
  book.add(acme, picoUsd(7n), epochMs(noon))
  expect((await book.of(acme, 'day')).amount).toBe(0n)
})

test('what another gateway spends is known seconds later, without a request waiting for it', async () => {
  const { clock, source, rows } = aHouse()
  const book = new SpendBook(source, clock)
  await book.of(acme, 'total')
  rows.push({ at: noon, cost: 9n })
  clock.ticks += 6_000
  expect((await book.of(acme, 'total')).amount).toBe(0n)
  await expect.poll(async () => (await book.of(acme, 'total')).amount).toBe(9n)
})

test('a cost that comes while the ledger answers is counted neither twice nor not at all', async () => {
  const { clock, source, rows } = aHouse()
  const book = new SpendBook(source, clock)
  await book.of(acme, 'total')
  clock.ticks += 6_000
  let open = (): void => undefined
  source.gate = new Promise((resolve) => (open = resolve))
  await book.of(acme, 'total')
  rows.push({ at: noon, cost: 4n })
  book.add(acme, picoUsd(4n), epochMs(noon))
  open()
  await source.gate
  expect((await book.of(acme, 'total')).amount).toBe(4n)
  await expect.poll(async () => [(await book.of(acme, 'total')).amount, source.asked]).toEqual([4n, 3])
})

test('a ledger that fails is said, left alone for a while, and believed again when it answers', async () => {
  const failures: unknown[] = []
  const { clock, source, rows } = aHouse([{ at: noon, cost: 3n }])
  source.broken = true
  const book = new SpendBook(source, clock, (error) => failures.push(error))
  expect(await book.of(acme, 'day')).toEqual({ amount: 0n, verified: false })
  book.add(acme, picoUsd(2n), epochMs(noon))
  rows.push({ at: noon, cost: 2n })
  expect(await book.of(acme, 'day')).toEqual({ amount: 2n, verified: false })
  expect([source.asked, failures.length]).toEqual([1, 1])
  source.broken = false
  clock.ticks += 3_000
  expect(await book.of(acme, 'day')).toEqual({ amount: 5n, verified: true })
})

test('a key that was made today has spent nothing before, whoever had its name', async () => {
  const { clock, source } = aHouse([{ at: noon - 1, cost: 8n }])
  const book = new SpendBook(source, clock)
  const before: Spender = { kind: 'key', name: 'web', since: undefined }
  expect((await book.of(before, 'total')).amount).toBe(8n)
  expect((await book.of({ ...before, since: epochMs(noon) }, 'total')).amount).toBe(0n)
})

test('periods begin and end at midnight in UTC, at the ends of months and years too', () => {
  const last = epochMs(Date.UTC(2026, 11, 31, 23, 59, 59, 999))
  expect([startOf('day', last), endOf('day', last)]).toEqual([Date.UTC(2026, 11, 31), Date.UTC(2027, 0, 1)])
  expect([startOf('month', last), endOf('month', last)]).toEqual([Date.UTC(2026, 11, 1), Date.UTC(2027, 0, 1)])
  expect([startOf('total', last), endOf('total', last)]).toEqual([0, undefined])
})

test('what is only estimated stays beside what the ledger says, as long as its period', async () => {
  const { clock, source, rows } = aHouse([{ at: noon, cost: 10n }])
  const book = new SpendBook(source, clock)
  await book.of(acme, 'day')
  book.reserve(acme, picoUsd(7n), epochMs(noon))
  expect((await book.of(acme, 'day')).amount).toBe(17n)
  // The ledger is asked again, and knows nothing of it.
  rows.push({ at: noon, cost: 1n })
  clock.ticks += 60_000
  await book.of(acme, 'day')
  await expect.poll(async () => (await book.of(acme, 'day')).amount).toBe(18n)
  clock.at += 12 * 3_600_000
  expect((await book.of(acme, 'day')).amount).toBe(0n)
})
