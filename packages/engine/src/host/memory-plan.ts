import { pageCells } from '../cache/cell-arena.ts'
import type { EngineConfig, EngineModelConfig } from '../engine.ts'
import type { ModelFacts } from '../native/contract.ts'

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
/** Sequences of full length that a recurrent model has room for. */
const sharedSequences = 8
/** An automatic KV buffer holds one full context, and several where a context is shorter than this. */
const sharedCells = 16_384
/** An automatic buffer stays below this, unless the configuration asks for a longer context. */
const automaticBytes = 1_024 ** 3
/** With a RAM tier behind it the hot set can be small: restoring costs some percent of evaluating. */
const hotCellsBeforeRam = 256

/**
 * Divides the budgets over the models: what is planned is what is used.
 *
 * @throws Error with the numbers when a context does not fit its share
 * @example planMemory(config, config.models[0], model.facts).cells
 */
export function planMemory(config: EngineConfig, entry: EngineModelConfig, facts: ModelFacts): MemoryPlan {
  const share = 1 / config.models.length
  const ramBytes = Math.floor(config.ramBytes * share)
  const budget = config.hotBytes === 'auto' ? undefined : Math.floor(config.hotBytes * share)
  if (facts.recurrent) return planRecurrent(config, entry, facts, ramBytes)
  const limit = Math.floor((budget ?? automaticBytes) / facts.kvBytesPerToken)
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
    kvBytes: cells * facts.kvBytesPerToken,
    ramBytes,
    hotCells: ramBytes > 0 ? hotCellsBeforeRam : Infinity,
  }
}

/** State of a recurrent model is as large behind one token as behind all: cells only count tokens. */
function planRecurrent(
  { maxConcurrent }: EngineConfig,
  { contextTokens: asked }: EngineModelConfig,
  facts: ModelFacts,
  ramBytes: number,
): MemoryPlan {
  const contextTokens = asked ?? Math.min(facts.trainedContextTokens, sharedCells)
  const cells = roundUp(contextTokens + overheadCells) * Math.min(maxConcurrent, sharedSequences)
  return { contextTokens, cells, kvBytes: 0, ramBytes, hotCells: Infinity }
}

function roundUp(cells: number): number {
  return Math.ceil(cells / cellGranule) * cellGranule
}
