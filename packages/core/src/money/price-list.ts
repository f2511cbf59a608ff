import { isModelNamed, plainModelName } from '../rules/model-name.ts'
import type { Price, PriceQuery } from './price.ts'
import type { PriceRow } from './price-row.ts'
import { PriceSchedule } from './price-schedule.ts'

/** Names that are kept with their schedules: clients choose them, so there is a limit. */
const mostNames = 2_000
const longestName = 300

/**
 * The rows of one source, as a book. Each name asked for is looked up once and kept, for it is asked for again with
 * every request; what then remains is a comparison of numbers.
 */
export class PriceList {
  readonly name: string
  readonly #byProvider = new Map<string, PriceRow[]>()
  readonly #schedules = new Map<string, PriceSchedule>()

  /** @example new PriceList('local', localPrices).find({ provider: 'openai', model: 'gpt-6-sol', at, promptTokens: 9 }) */
  constructor(name: string, rows: readonly PriceRow[]) {
    this.name = name
    for (const row of rows) {
      const known = this.#byProvider.get(row.provider)
      if (known === undefined) this.#byProvider.set(row.provider, [row])
      else known.push(row)
    }
  }

  /** Every row, in the order of the list. */
  get rows(): readonly PriceRow[] {
    return [...this.#byProvider.values()].flat()
  }

  /** Every row of a model, in the order of the list; of all its days, sizes and hours. */
  rowsOf(provider: string, model: string): readonly PriceRow[] {
    const rows = this.#byProvider.get(provider)
    if (rows === undefined) return []
    const name = plainModelName(model)
    const own = rows.filter((row) => isModelNamed(name, row.model))
    if (own.length === 0) return rows.filter((row) => row.model === '*')
    // A row of a dated name goes before that of the name alone.
    const longest = Math.max(...own.map((row) => row.model.length))
    return own.filter((row) => row.model.length === longest)
  }

  find(query: PriceQuery): Price | undefined {
    return query.provider === undefined ? undefined : this.findFor(query.provider, query)
  }

  /** As `find`, under another name than that of the query's provider. */
  findFor(provider: string, { model, at, promptTokens, serviceTier }: Omit<PriceQuery, 'provider'>): Price | undefined {
    // Longer names are nobody's, and would be kept.
    if (!this.#byProvider.has(provider) || model.length + (serviceTier?.length ?? 0) > longestName) return undefined
    return this.#scheduleOf(provider, model, serviceTier).find(at, promptTokens)
  }

  #scheduleOf(provider: string, model: string, tier: string | undefined): PriceSchedule {
    const key = `${provider}\n${tier ?? ''}\n${model}`
    const known = this.#schedules.get(key)
    if (known !== undefined) return known
    const schedule = new PriceSchedule(this.name, this.rowsOf(provider, model), tier)
    if (this.#schedules.size >= mostNames) this.#schedules.clear()
    this.#schedules.set(key, schedule)
    return schedule
  }
}
