import type { Clock, EpochMs, PicoUsd } from '@incipit/core'
import { epochMs, picoUsd } from '@incipit/core'
import { settlesWithin } from '../ledger/settles-within.ts'
import type { BudgetPeriod } from './limits.ts'

/** Whose costs: of one key by its name in the ledger, or of an organisation. */
export type Spender =
  | { readonly kind: 'key'; readonly name: string; readonly since: EpochMs | undefined }
  | { readonly kind: 'org'; readonly name: string }

/** What the ledger says was spent. Requests whose cost is not known are in no sum. */
export interface SpendSource {
  spent(spender: Spender, since: EpochMs | undefined): Promise<PicoUsd>
}

/** What was spent in a period, as far as it is known. */
export interface Spent {
  readonly amount: PicoUsd
  /** The ledger was asked, and answered lately. */
  readonly verified: boolean
}

interface Account {
  readonly spender: Spender
  readonly period: BudgetPeriod
  readonly startsAt: number
  amount: bigint
  /** Estimates for requests whose cost nobody will know: they are in no sum of the ledger. */
  reserved: bigint
  /** Costs added since the ledger was last asked began. */
  added: bigint
  /** Monotonic time of the last answer; `undefined` = none yet. */
  readAt: number | undefined
  reading: Promise<void> | undefined
  /** Answers in a row that overlapped with costs of our own. */
  overlaps: number
  failedAt: number | undefined
}

/** How old an answer of the ledger may be: other gateways spend, too. */
const freshMs = 5_000
/** How long a request waits for the first answer; without one it is served. */
const patienceMs = 1_000
/** How long a ledger that failed is left alone. */
const restMs = 2_000
/** An answer that may or may not hold a cost added meanwhile is not used; after so many in a row it is, and the cost counts twice until the next. */
const mostOverlaps = 3
const sweepAt = 20_000

/**
 * What keys and organisations have spent, for budgets: read from the ledger when first asked, kept in memory and
 * added to with every request, and read again while it is asked for, so that a restart resets nothing and several
 * gateways on one ledger see each other's costs.
 *
 * @example const { amount } = await spend.of({ kind: 'org', name: 'acme' }, 'day')
 */
export class SpendBook {
  readonly #source: SpendSource
  readonly #clock: Clock
  readonly #onFailure: (error: unknown) => void
  readonly #accounts = new Map<string, Account>()
  /** An account is being read again. */
  #refreshing = false
  #restUntil = 0

  constructor(source: SpendSource, clock: Clock, onFailure: (error: unknown) => void = () => undefined) {
    this.#source = source
    this.#clock = clock
    this.#onFailure = onFailure
  }

  /** Waits for the ledger the first time only; later answers come while an older one is used. */
  async of(spender: Spender, period: BudgetPeriod): Promise<Spent> {
    const account = this.#accountOf(spender, period)
    const now = this.#clock.monotonic()
    const isFresh = account.readAt !== undefined && now - account.readAt < freshMs
    const rests = account.failedAt !== undefined && now - account.failedAt < restMs
    if (!isFresh && !rests) {
      if (account.readAt === undefined) await settlesWithin(this.#readOnce(account), patienceMs)
      else this.#refresh(account)
    }
    const amount = picoUsd(account.amount + account.reserved)
    return { amount, verified: account.readAt !== undefined && account.failedAt === undefined }
  }

  /** A request that began then has cost this, and the ledger has its row. */
  add(spender: Spender, cost: PicoUsd, at: EpochMs): void {
    for (const period of ['day', 'month', 'total'] as const) {
      const account = this.#accounts.get(nameOf(spender, period))
      if (account === undefined || account.startsAt !== startOf(period, at)) continue
      account.amount += cost
      account.added += cost
    }
  }

  /** A request that began then is taken to have cost this: what it has cost in fact will not be known. */
  reserve(spender: Spender, estimate: PicoUsd, at: EpochMs): void {
    for (const period of ['day', 'month', 'total'] as const) {
      const account = this.#accounts.get(nameOf(spender, period))
      if (account?.startsAt === startOf(period, at)) account.reserved += estimate
    }
  }

  #readOnce(account: Account): Promise<void> {
    account.reading ??= this.#read(account).finally(() => (account.reading = undefined))
    return account.reading
  }

  /** One account at a time, and a fifth of the time: thousands of keys leave the ledger to other questions. */
  #refresh(account: Account): void {
    const begun = this.#clock.monotonic()
    if (this.#refreshing || begun < this.#restUntil) return
    this.#refreshing = true
    void this.#readOnce(account).finally(() => {
      const ended = this.#clock.monotonic()
      this.#refreshing = false
      this.#restUntil = ended + 4 * (ended - begun)
    })
  }

  #accountOf(spender: Spender, period: BudgetPeriod): Account {
    const name = nameOf(spender, period)
    const startsAt = startOf(period, this.#clock.now())
    const known = this.#accounts.get(name)
    if (known?.startsAt === startsAt) return known
    if (this.#accounts.size >= sweepAt) this.#accounts.clear()
    const account: Account = {
      spender,
      period,
      startsAt,
      amount: 0n,
      reserved: 0n,
      added: 0n,
      readAt: undefined,
      reading: undefined,
      overlaps: 0,
      failedAt: undefined,
    }
    this.#accounts.set(name, account)
    return account
  }

  async #read(account: Account): Promise<void> {
    const { spender, startsAt } = account
    const born = spender.kind === 'key' ? (spender.since ?? 0) : 0
    const since = Math.max(startsAt, born)
    account.added = 0n
    try {
      const amount = await this.#source.spent(spender, since === 0 ? undefined : epochMs(since))
      const overlapped = account.added !== 0n
      account.overlaps = overlapped ? account.overlaps + 1 : 0
      account.failedAt = undefined
      if (overlapped && account.readAt !== undefined && account.overlaps <= mostOverlaps) return
      account.amount = amount + account.added
      account.readAt = this.#clock.monotonic()
    } catch (error) {
      if (account.failedAt === undefined) this.#onFailure(error)
      account.failedAt = this.#clock.monotonic()
    }
  }
}

/**
 * When a period began that an instant lies in, in UTC; 0 for one without beginning.
 * @example startOf('month', epochMs(Date.UTC(2026, 10, 26))) // that of November
 */
export function startOf(period: BudgetPeriod, at: EpochMs): number {
  const date = new Date(at)
  if (period === 'total') return 0
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), period === 'day' ? date.getUTCDate() : 1)
}

/** When a period ends that an instant lies in; `undefined` = never. */
export function endOf(period: BudgetPeriod, at: EpochMs): EpochMs | undefined {
  const date = new Date(at)
  if (period === 'total') return undefined
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return epochMs(period === 'day' ? Date.UTC(year, month, date.getUTCDate() + 1) : Date.UTC(year, month + 1, 1))
}

function nameOf(spender: Spender, period: BudgetPeriod): string {
  const since = spender.kind === 'key' ? (spender.since ?? '') : ''
  return `${period} ${spender.kind} ${since} ${spender.name}`
}
