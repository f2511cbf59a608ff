import type { Price, PriceBook, PriceQuery, PriceRow } from '@incipit/core'
import { localPrices, PriceList, PriceSchedule } from '@incipit/core'
import { genAiPricesVersion, genAiRows } from './genai-prices.ts'
import { upstreamKey } from './upstream-key.ts'

/** Models whose schedules are kept: clients choose the names, so there is a limit. */
const mostSchedules = 2_000
const longestName = 300

/** Where a price stands; the first that has one counts. */
export type PriceLayer = 'operator' | 'local' | 'genai-prices'

/** A row, and the list it stands in as price ids name it. */
export interface LayeredRow {
  readonly layer: PriceLayer
  readonly list: string
  readonly row: PriceRow
}

/** Every price the gateway knows: the operator's file over the local table over `@pydantic/genai-prices`. */
export class LayeredPrices implements PriceBook {
  readonly #operator: PriceList
  readonly #local = new PriceList('local', localPrices)
  readonly #genAi = new Map<string, PriceSchedule>()
  readonly #onFault: (error: unknown) => void

  /**
   * `operatorRows`: those of the operator's file, where `upstreamKey` stands for the provider of a row for an upstream.
   * `onFault` is told when data of the last layer cannot be read; the model then has no price.
   * @example new LayeredPrices([]).find({ provider: 'openai', model: 'gpt-4o', at, promptTokens: 9_727 })
   */
  constructor(operatorRows: readonly PriceRow[], onFault: (error: unknown) => void = () => undefined) {
    this.#onFault = onFault
    this.#operator = new PriceList('operator', operatorRows)
  }

  find(query: PriceQuery): Price | undefined {
    return this.findIn('operator', query) ?? this.#local.find(query) ?? this.findIn('genai-prices', query)
  }

  /** The price of one layer alone. */
  findIn(layer: PriceLayer, query: PriceQuery): Price | undefined {
    const { provider, upstream } = query
    switch (layer) {
      case 'operator':
        return (
          (upstream === undefined ? undefined : this.#operator.findFor(upstreamKey(upstream), query)) ??
          this.#operator.find(query)
        )
      case 'local':
        return this.#local.find(query)
      case 'genai-prices':
        return provider === undefined ? undefined : this.#findGenAi(provider, query)
      default:
        return layer satisfies never
    }
  }

  /** The rows of one model in every layer, of all days, sizes and hours. */
  rowsOf(provider: string, model: string): LayeredRow[] {
    return [
      ...this.#operator
        .rowsOf(provider, model)
        .map((row): LayeredRow => ({ layer: 'operator', list: 'operator', row })),
      ...this.#local.rowsOf(provider, model).map((row): LayeredRow => ({ layer: 'local', list: 'local', row })),
      ...this.#genAiRows(provider, model).map((row): LayeredRow => ({ layer: 'genai-prices', list: genAiList, row })),
    ]
  }

  /** Every row of the operator's file and of the local table. */
  get rows(): LayeredRow[] {
    return [
      ...this.#operator.rows.map((row): LayeredRow => ({ layer: 'operator', list: 'operator', row })),
      ...this.#local.rows.map((row): LayeredRow => ({ layer: 'local', list: 'local', row })),
    ]
  }

  #findGenAi(provider: string, { model, at, promptTokens, serviceTier }: PriceQuery): Price | undefined {
    if (model.length + (serviceTier?.length ?? 0) > longestName) return undefined
    const key = `${provider}\n${serviceTier ?? ''}\n${model}`
    let schedule = this.#genAi.get(key)
    if (schedule === undefined) {
      schedule = new PriceSchedule(genAiList, this.#genAiRows(provider, model), serviceTier)
      if (this.#genAi.size >= mostSchedules) this.#genAi.clear()
      this.#genAi.set(key, schedule)
    }
    return schedule.find(at, promptTokens)
  }

  #genAiRows(provider: string, model: string): PriceRow[] {
    try {
      return genAiRows(provider, model)
    } catch (error) {
      this.#onFault(error)
      return []
    }
  }
}

const genAiList = `genai-prices@${genAiPricesVersion}`
