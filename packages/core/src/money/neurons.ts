import type { PicoUsd } from '../domain/money.ts'
import { picoUsd } from '../domain/money.ts'
import type { Fact } from '../rules/fact.ts'

/** What Workers AI bills in: 1,000 neurons for 0.011 USD. */
export const usdPerNeuron: Fact<PicoUsd> = {
  value: picoUsd(11_000_000n),
  source: 'https://developers.cloudflare.com/workers-ai/models/',
  asOf: '2026-11-20',
  certainty: 'V',
}

/**
 * An amount in neurons of Workers AI, as the nearest number.
 * @example neurons(picoUsd(11_000_000_000n)) // 1000
 */
export function neurons(amount: PicoUsd): number {
  return Number(amount) / Number(usdPerNeuron.value)
}
