import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { chatmlTemplate } from './chatml.ts'
import { denseTensors, shapeMetadata } from './dense-model.ts'
import type { ModelShape } from './dense-model.ts'
import { hybridMetadata, hybridTensors } from './hybrid-model.ts'
import type { HybridShape } from './hybrid-model.ts'
import { recurrentMetadata, recurrentTensors } from './recurrent-model.ts'
import type { RecurrentShape } from './recurrent-model.ts'
import { trainingText } from './training-text.ts'
import type { TokenizerTraits } from './vocabulary.ts'
import { tokenizerMetadata, trainVocabulary, withControlTokens } from './vocabulary.ts'
import { ggufFileBytes, writeGguf } from './write.ts'
import type { GgufValue, TensorSource } from './write.ts'

/** Shapes for tests and benchmarks: the two tiny ones load in milliseconds, the others cost what the real models cost. */
export const modelShapes: {
  readonly tiny: ModelShape
  readonly tinySlidingWindow: ModelShape
  readonly tinyRecurrent: RecurrentShape
  readonly tinyHybrid: HybridShape
  readonly smol135: ModelShape
  readonly qwen05: ModelShape
} = {
  tiny: {
    name: 'tiny',
    architecture: 'llama',
    layers: 2,
    width: 64,
    heads: 4,
    kvHeads: 2,
    headWidth: 16,
    feedForward: 128,
    vocabulary: 768,
    merges: 480,
    weights: 'f16',
    contextTokens: 32_768,
    ropeBase: 100_000,
    tiedOutput: false,
    seed: 1,
  },
  tinySlidingWindow: {
    name: 'tiny-sliding-window',
    architecture: 'gemma3',
    layers: 6,
    width: 64,
    heads: 4,
    kvHeads: 2,
    headWidth: 64,
    feedForward: 128,
    vocabulary: 768,
    merges: 480,
    weights: 'f16',
    contextTokens: 32_768,
    ropeBase: 100_000,
    tiedOutput: true,
    slidingWindow: 128,
    seed: 1,
  },
  tinyRecurrent: {
    name: 'tiny-recurrent',
    architecture: 'mamba',
    layers: 3,
    width: 64,
    stateSize: 16,
    convolution: 4,
    timeStepRank: 4,
    vocabulary: 768,
    merges: 480,
    contextTokens: 32_768,
    seed: 1,
  },
  tinyHybrid: {
    name: 'tiny-hybrid',
    architecture: 'jamba',
    layers: ['state space', 'attention', 'state space', 'attention'],
    width: 64,
    heads: 4,
    kvHeads: 2,
    feedForward: 128,
    stateSize: 16,
    convolution: 4,
    timeStepRank: 4,
    weights: 'f16',
    vocabulary: 768,
    merges: 480,
    contextTokens: 32_768,
    seed: 1,
  },
  smol135: {
    name: 'smollm2-135m-shape',
    architecture: 'llama',
    layers: 30,
    width: 576,
    heads: 9,
    kvHeads: 3,
    headWidth: 64,
    feedForward: 1_536,
    vocabulary: 49_152,
    merges: 1_500,
    weights: 'q8_0',
    contextTokens: 16_384,
    ropeBase: 100_000,
    tiedOutput: true,
    seed: 1,
  },
  qwen05: {
    name: 'qwen2.5-0.5b-shape',
    architecture: 'qwen2',
    layers: 24,
    width: 896,
    heads: 14,
    kvHeads: 2,
    headWidth: 64,
    feedForward: 4_864,
    vocabulary: 151_936,
    merges: 1_500,
    weights: 'q8_0',
    contextTokens: 32_768,
    ropeBase: 1_000_000,
    tiedOutput: true,
    seed: 1,
  },
}

/** A tokenizer other than that of our own models. */
export interface SyntheticTokenizer extends TokenizerTraits {
  /** Spellings that are control tokens of it. */
  readonly control?: readonly string[] | undefined
}

/**
 * Path of a model of this shape with random weights: real compute and real KV state, meaningless
 * text. Written on first use, 0.1 to 4 seconds; the file name carries a digest of the shape.
 *
 * @example const path = syntheticModel(modelShapes.tiny, '/tmp/models')
 */
export function syntheticModel(
  shape: ModelShape | RecurrentShape | HybridShape,
  directory: string,
  tokenizer: SyntheticTokenizer = { chatTemplate: chatmlTemplate },
): string {
  const trained = trainVocabulary({ text: trainingText, size: shape.vocabulary, merges: shape.merges })
  const vocabulary = withControlTokens(trained, tokenizer.control ?? [])
  const parts = partsOf(shape)
  const metadata = [...parts.metadata, ...tokenizerMetadata(vocabulary, tokenizer)]
  const content = { metadata, tensors: parts.tensors }
  const digest = createHash('sha256')
    .update(JSON.stringify([shape, metadata]))
    .digest('hex')
    .slice(0, 12)
  const path = join(directory, `${shape.name}-${digest}.gguf`)
  if (existsSync(path) && statSync(path).size === ggufFileBytes(content)) return path
  mkdirSync(directory, { recursive: true })
  // Complete under its name or not there at all, whoever else writes it at the same time.
  const unfinished = `${path}.${process.pid}.part`
  writeGguf(unfinished, content)
  renameSync(unfinished, path)
  return path
}

function partsOf(shape: ModelShape | RecurrentShape | HybridShape): {
  readonly metadata: readonly [string, GgufValue][]
  readonly tensors: TensorSource[]
} {
  switch (shape.architecture) {
    case 'mamba':
      return { metadata: recurrentMetadata(shape), tensors: recurrentTensors(shape) }
    case 'jamba':
      return { metadata: hybridMetadata(shape), tensors: hybridTensors(shape) }
    default:
      return { metadata: shapeMetadata(shape), tensors: denseTensors(shape) }
  }
}
