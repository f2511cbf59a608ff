import type { GenerationRequest } from '@incipit/core'
import type { Model } from '@incipit/engine/native'
import { loadNative, modelFile, promptTokens } from '@incipit/engine/native'
import { modelShapes, syntheticModel } from '@incipit/engine/synthetic'
import { join } from 'node:path'

/** A model as a benchmark needs it beside the server that serves it: to count tokens, not to run it. */
export interface BenchModel {
  readonly file: string
  readonly model: Model
  readonly tokenise: (request: GenerationRequest) => Int32Array
  /** For `logit_bias`: no token ends an answer, so that all are as long as they may be. */
  readonly endless: Readonly<Record<string, number>>
  close(): void
}

/**
 * Writes a model of one of our shapes, or the built-in one, to a folder and loads it.
 * @throws Error in plain words where the library is missing, or the shape is not known
 * @example const model = benchModel('smol135', folder)
 */
export function benchModel(shape: string, folder: string): BenchModel {
  const loaded = loadNative()
  if (loaded.kind === 'unavailable') throw new Error(loaded.reason)
  const file =
    shape === 'demo' ? modelFile('builtin:demo', folder) : syntheticModel(shapeOf(shape), join(folder, 'models'))
  const model = loaded.native.loadModel(file, { dataDir: folder })
  const ends = Array.from({ length: model.facts.vocabularySize }, (_, token) => token).filter((token) =>
    model.endsGeneration(token),
  )
  return {
    file,
    model,
    tokenise: (request) => promptTokens(model, request),
    endless: Object.fromEntries(ends.map((token) => [String(token), -100])),
    close: () => model.close(),
  }
}

function shapeOf(name: string): (typeof modelShapes)[keyof typeof modelShapes] {
  const found = Object.entries(modelShapes).find(([known]) => known === name)
  if (found !== undefined) return found[1]
  throw new Error(`no shape is called "${name}"; known: demo, ${Object.keys(modelShapes).join(', ')}`)
}
