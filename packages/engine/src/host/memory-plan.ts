import { pageCells } from '../cache/cell-arena.ts'
import type { EngineConfig, EngineModelConfig } from '../engine.ts'
import type { ModelFacts } from '../native/contract.ts'
import { isPurelyRecurrent } from '../native/sequence-count.ts'

/** Of a model, what decides its plan. */
export type PlannedFacts = Pick<
  ModelFacts,
  'kvBytesPerToken' | 'trainedContextTokens' | 'recurrent' | 'hybrid' | 'slidingWindow'
>

/** What one model may use. */
export interface MemoryPlan {
  /** Longest prompt and output together. */
  readonly contextTokens: number
  /** Cells of the KV buffer. */
  readonly cells: number
  readonly kvBytes: number
  readonly ramBytes: number
  /** Most cells of cached prefixes kept in the KV buffer beside a request that does not share them. */
  readonly hotCells: number
}

/** Cells that are never a request's, and what rounding to pages can take. */
const overheadCells = 4 * pageCells
/** llama.cpp rounds buffers up to this. */
const cellGranule = 256
/** Buffers are made in whole granules: the first that has room for a context at all. */
const smallestCells = roundUp(overheadCells + 1)
/** An automatic KV buffer holds one full context, and several where a context is shorter than this. */
const sharedCells = 16_384
/** An automatic buffer stays below this, unless the configuration asks for a longer context. */
const automaticBytes = 1_024 ** 3
/** With a RAM tier behind it the hot set can be small: restoring costs some percent of evaluating. */
const hotCellsBeforeRam = 256

/** States of the sequences of a model with recurrent layers: each takes the same, used or not. */
export interface SequenceStates {
  readonly sequences: number
  readonly bytes: number
}

/**
 * Divides the budgets over the models: what is planned is what is used.
 *
 * @throws Error with the numbers when a context does not fit its share
 * @example planMemory(config, config.models[0], model.facts).cells
 */
export function planMemory(
  config: EngineConfig,
  entry: EngineModelConfig,
  facts: PlannedFacts,
  states: SequenceStates = { sequences: 0, bytes: 0 },
): MemoryPlan {
  const share = 1 / config.models.length
  const ramBytes = Math.floor(config.ramBytes * share)
  const stateBytes = states.sequences * states.bytes
  const allowed = config.hotBytes === 'auto' ? undefined : Math.floor(config.hotBytes * share)
  if (allowed !== undefined && stateBytes > allowed) {
    const needed = `${states.sequences} states of ${states.bytes} bytes, ${stateBytes} bytes in all`
    throw new Error(
      `model "${entry.name}" needs ${needed}, ${allowed} allowed (engine.hot_bytes, engine.max_concurrent)`,
    )
  }
  if (isPurelyRecurrent(facts)) return planRecurrent(config, entry, facts, { ramBytes, stateBytes })
  const budget = allowed === undefined ? undefined : allowed - stateBytes
  const limit = Math.floor((budget ?? automaticBytes) / facts.kvBytesPerToken)
  if (entry.contextTokens === undefined && limit < smallestCells)
    throw noContextFits(entry, facts, { allowed: budget ?? automaticBytes, stateBytes })
  const wanted = entry.contextTokens ?? Math.min(facts.trainedContextTokens, limit - overheadCells)
  const least = roundUp(wanted + overheadCells)
  if (
    wanted < 1 ||
    (budget !== undefined && least * facts.kvBytesPerToken > budget + cellGranule * facts.kvBytesPerToken)
  ) {
    const needed = least * facts.kvBytesPerToken
    throw new Error(
      `model "${entry.name}": a context of ${wanted} tokens needs ${needed} bytes of KV, ${budget ?? automaticBytes} allowed (engine.hot_bytes)`,
    )
  }
  const cells =
    budget === undefined
      ? Math.max(least, Math.min(roundUp(4 * wanted), sharedCells, limit))
      : Math.max(least, limit - (limit % cellGranule))
  return {
    contextTokens: wanted,
    cells,
    kvBytes: cells * facts.kvBytesPerToken + stateBytes,
    ramBytes,
    hotCells: ramBytes > 0 ? hotCellsBeforeRam : Infinity,
  }
}

/** State of a recurrent model is as large behind one token as behind all: cells only count tokens. */
function planRecurrent(
  { maxConcurrent }: EngineConfig,
  { contextTokens: asked }: EngineModelConfig,
  facts: PlannedFacts,
  { ramBytes, stateBytes }: { readonly ramBytes: number; readonly stateBytes: number },
): MemoryPlan {
  const contextTokens = asked ?? Math.min(facts.trainedContextTokens, sharedCells)
  const cells = roundUp(contextTokens + overheadCells) * maxConcurrent
  return { contextTokens, cells, kvBytes: stateBytes, ramBytes, hotCells: Infinity }
}

function noContextFits(
  { name }: EngineModelConfig,
  { kvBytesPerToken }: PlannedFacts,
  { allowed, stateBytes }: { readonly allowed: number; readonly stateBytes: number },
): Error {
  const needed = `${smallestCells - overheadCells} tokens, needs ${smallestCells * kvBytesPerToken} bytes of KV`
  const beside = stateBytes > 0 ? ` beside ${stateBytes} of states` : ''
  return new Error(`model "${name}": the smallest context, ${needed}, ${allowed} allowed${beside} (engine.hot_bytes)`)
}

function roundUp(cells: number): number {
  return Math.ceil(cells / cellGranule) * cellGranule
}
