import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelShapes, syntheticModel } from '../gguf/synthetic-model.ts'
import type { Context, ContextOptions, Model, Native } from '../native/contract.ts'
import { loadNative } from '../native/load-native.ts'

/** The library; a machine without it cannot run these tests, and says why. */
export function requireNative(): Native {
  const load = loadNative()
  if (load.kind === 'unavailable') throw new Error(load.reason)
  return load.native
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'incipit-engine-'))
}

/** The small shapes; `tinyHybridQ8` has the same layers as `tinyHybrid`, quantised. */
export type TinyShape = 'tiny' | 'tinySlidingWindow' | 'tinyRecurrent' | 'tinyHybrid' | 'tinyHybridQ8'

export function tinyModel(directory: string, shape: TinyShape = 'tiny'): Model {
  const { tinyHybrid } = modelShapes
  const wanted =
    shape === 'tinyHybridQ8' ? { ...tinyHybrid, name: 'tiny-hybrid-q8', weights: 'q8_0' as const } : modelShapes[shape]
  return requireNative().loadModel(syntheticModel(wanted, directory), { dataDir: directory })
}

export const testContext: ContextOptions = {
  cells: 4_096,
  batchTokens: 512,
  sequences: 8,
  threads: { decode: 1, prefill: 1 },
  flashAttention: true,
}

/** `count` token ids of a small model, other ones for another seed. */
export function someTokens(count: number, seed: number): Int32Array {
  let state = seed >>> 0
  return Int32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return 3 + ((state >>> 8) % 700)
  })
}

/** Evaluates `tokens` from `start` on and returns a copy of the logits behind the last one. */
export async function evaluate(
  context: Context,
  options: { readonly sequence: number; readonly tokens: Int32Array; readonly start: number },
): Promise<Float32Array> {
  const { batch } = context
  let last = 0
  for (let at = 0; at < options.tokens.length; at += batch.capacity) {
    const count = Math.min(batch.capacity, options.tokens.length - at)
    for (let index = 0; index < count; index++) {
      batch.tokens[index] = options.tokens[at + index] ?? 0
      batch.positions[index] = options.start + at + index
      batch.sequences[index] = options.sequence
      batch.wantsLogits[index] = at + index === options.tokens.length - 1 ? 1 : 0
    }
    // Oxlint sees a race with another turn of the loop; each chunk needs the one before it.
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await context.decode(count)
    if (outcome.kind !== 'done') throw new Error(`decode ended as ${outcome.kind}`)
    last = count - 1
  }
  return context.logits(last).slice()
}

/** Largest difference of two vectors; infinite where either holds something that is no number. */
export function largestDifference(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length) return Infinity
  let largest = 0
  for (const [index, value] of left.entries()) {
    const difference = Math.abs(value - (right[index] ?? Number.NaN))
    if (Number.isNaN(difference)) return Infinity
    if (difference > largest) largest = difference
  }
  return largest
}
