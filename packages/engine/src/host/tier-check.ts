import { blockTokens } from '../cache/block-key.ts'
import { headerBytes } from '../cache/disk/slot-header.ts'
import type { EngineConfig, EngineModelConfig } from '../engine.ts'
import type { ModelFacts } from '../native/contract.ts'

/** What a saved state says about each token beside its K and V: position, owner, the token itself. */
const tokenNoteBytes = 32
/** What it says about each layer: types and sizes of its rows, for K and for V, in up to two caches. */
const layerNoteBytes = 64
/** Beginnings of all and of each cache. */
const fixedNoteBytes = 256

/**
 * Bytes that are enough for the smallest thing of a model that a tier keeps: a block, or the whole state of a model
 * whose state cannot be cut.
 * @param stateBytes what recurrent layers take for one sequence; 0 where there are none
 */
export function leastTierBytes(
  { kvBytesPerToken, layers }: Pick<ModelFacts, 'kvBytesPerToken' | 'layers'>,
  stateBytes: number,
): number {
  return stateBytes + blockTokens * (kvBytesPerToken + tokenNoteBytes) + layers * layerNoteBytes + fixedNoteBytes
}

/**
 * Refuses budgets of RAM and disk that could never keep anything of a model; 0 turns a tier off and is none.
 * @throws Error with the setting, the bytes that the model needs and those that it may have
 * @example checkTiers(config, config.models[0], { facts: model.facts, stateBytes: 0 })
 */
export function checkTiers(
  config: EngineConfig,
  { name }: EngineModelConfig,
  { facts, stateBytes }: { readonly facts: ModelFacts; readonly stateBytes: number },
): void {
  const what = stateBytes > 0 ? 'a state' : `a block of ${blockTokens} tokens`
  const least = leastTierBytes(facts, stateBytes)
  const check = (setting: string, budget: number, needed: number): void => {
    const allowed = Math.floor(budget / config.models.length)
    if (budget === 0 || allowed >= needed) return
    throw new Error(`model "${name}": ${what} needs ${needed} bytes, ${allowed} allowed (engine.${setting})`)
  }
  check('ram_bytes', config.ramBytes, least)
  // Blocks reach the disk through RAM: without that the disk is off, whatever it may take.
  if (config.ramBytes > 0) check('disk_bytes', config.diskBytes, least + headerBytes)
}
