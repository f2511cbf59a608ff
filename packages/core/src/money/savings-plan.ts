import type { PicoUsd } from '../domain/money.ts'
import type { Price, WriteTtl } from './price.ts'

/** What is known about traffic before caching is adopted. */
export interface SavingsInput {
  readonly price: Price
  /** Shortest prefix that the provider caches, in tokens; `undefined` = not known. */
  readonly minTokens: number | undefined
  /** Tokens at the beginning that requests share. */
  readonly cacheableTokens: number
  readonly requests: number
  readonly arrivals: Arrivals
  /** Tokens of each request behind the shared ones. */
  readonly varyingTokens: number
  /** Tokens of each answer. */
  readonly outputTokens: number
  /** Of the requests after the first, the part whose beginning is another one: 0 to 1. */
  readonly changedShare: number
  readonly pattern: TrafficPattern
  /** Least life of a cache that keeps itself, in seconds; `undefined` = not published, and taken for long enough. */
  readonly automaticSeconds: number | undefined
}

export type Arrivals =
  | { readonly kind: 'within-life' }
  /** One after the other, always as far apart. */
  | { readonly kind: 'even'; readonly gapSeconds: number }
  /** Independent of each other, as those of many users are. */
  | { readonly kind: 'random'; readonly perHour: number }

/** A template that many requests begin with, one document that is asked about, or passages chosen for each question. */
export type TrafficPattern = 'template' | 'upload' | 'retrieval'

/** How a cache is kept: for a life that reads renew, by the provider itself, or stored and billed by the hour. */
export type PlanLife = WriteTtl | 'automatic' | 'stored'

/** One way to keep the cache, and what it comes to. Costs are those of the shared tokens. */
export interface PlanOption {
  readonly life: PlanLife
  readonly seconds: number | undefined
  /** How long the provider keeps it is not published: it cannot save more, and may save nothing. */
  readonly atBest: boolean
  readonly writes: number
  readonly reads: number
  readonly storageHours: number
  readonly storageCost: PicoUsd
  /** Writes, reads and storage. */
  readonly cost: PicoUsd
  /** Uncached less that; negative = a loss. */
  readonly saved: PicoUsd
  /** Of one write; `undefined` = never. */
  readonly breakEvenReads: number | undefined
  /** Beside storage; `undefined` = never, or nothing is stored. */
  readonly breakEvenReadsPerHour: number | undefined
  /** The same with a ping whenever the cache is about to expire; `undefined` where none is needed or possible. */
  readonly keepAlive: KeepAlive | undefined
  /** Why it saves nothing; empty where it does. */
  readonly reasons: readonly PlanReason[]
}

export interface KeepAlive {
  readonly everySeconds: number
  readonly pings: number
  readonly pingCost: PicoUsd
  readonly cost: PicoUsd
  readonly saved: PicoUsd
}

/** Why caching saves nothing; public names: add, never rename. */
export const reasonCodes = [
  'single_shot',
  'one_off_upload',
  'changing_retrieval',
  'highly_variable',
  'below_minimum',
  'gap_longer_than_life',
  'storage_costs_more',
  'no_discount',
  'too_few_reads',
] as const

export type PlanReasonCode = (typeof reasonCodes)[number]

export interface PlanReason {
  readonly code: PlanReasonCode
  readonly text: string
}

/** What caching would come to. */
export type SavingsPlan =
  | { readonly verdict: 'unknown'; readonly missing: readonly string[] }
  | {
      readonly verdict: 'cache' | 'do_not_cache'
      /** The shared tokens of all requests at the plain rate. */
      readonly uncached: PicoUsd
      /** What caching does not change: the tokens behind, and the answers; `undefined` = no price for output. */
      readonly rest: PicoUsd | undefined
      readonly options: readonly PlanOption[]
      readonly best: PlanOption
      /** The best of them is better with pings. */
      readonly keepAlive: boolean
      /** Lives for which there is no price of writing. */
      readonly unpriced: readonly PlanLife[]
      readonly reasons: readonly PlanReason[]
    }
