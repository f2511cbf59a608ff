import type { EngineConfig, EngineModelConfig } from '../engine.ts'
import { demoModelPath, demoShape } from '../gguf/demo-model.ts'
import type { GgufHeader } from '../gguf/read.ts'
import { bytesPerHalf, kvBytesPerToken } from '../native/model-facts.ts'
import { readModelHeader } from '../native/model-header.ts'
import { planMemory } from './memory-plan.ts'
import type { PlannedFacts } from './memory-plan.ts'

/** Keys of architectures with states of recurrent layers: how large those are, only the library says. */
const recurrentKeys = /\.(?:ssm|wkv|shortconv)\.|\.(?:full_attention_interval|time_mix_extra_dim)$/

/**
 * Whether the engine would take a model, as far as can be said without loading it: the header of its file, that every
 * tensor is there, and the memory plan, unless the model has recurrent layers.
 *
 * @returns the bytes of its file; `undefined` of the built-in model, which is written when it is needed
 * @throws Error in the words in which the engine refuses it
 * @example checkModel(config, { name: 'small', path: 'small.gguf', aliases: [] })
 */
export function checkModel(config: EngineConfig, entry: EngineModelConfig): number | undefined {
  if (entry.path === demoModelPath) {
    planMemory(config, entry, demoFacts)
    return undefined
  }
  const header = readModelHeader(entry.path)
  const facts = factsOf(header)
  if (facts !== undefined) planMemory(config, entry, facts)
  return header.fileBytes
}

const demoFacts: PlannedFacts = {
  kvBytesPerToken: 2 * bytesPerHalf * demoShape.layers * demoShape.kvHeads * demoShape.headWidth,
  trainedContextTokens: demoShape.contextTokens,
  slidingWindow: 0,
  recurrent: false,
  hybrid: false,
}

function factsOf(header: GgufHeader): PlannedFacts | undefined {
  const { metadata } = header
  if ([...metadata.keys()].some((key) => recurrentKeys.test(key))) return undefined
  const name = metadata.get('general.architecture')
  // `readModelHeader` takes none without.
  const architecture = typeof name === 'string' ? name : ''
  const number = (key: string, otherwise: number): number => {
    const value = metadata.get(`${architecture}.${key}`)
    const first = Array.isArray(value) ? value[0] : value
    return typeof first === 'number' ? first : otherwise
  }
  const heads = number('attention.head_count', 1)
  const shape = {
    layers: number('block_count', 1),
    width: number('embedding_length', 1),
    heads,
    kvHeads: number('attention.head_count_kv', heads),
  }
  return {
    kvBytesPerToken: kvBytesPerToken(architecture, header, shape),
    trainedContextTokens: number('context_length', 1),
    slidingWindow: number('attention.sliding_window', 0),
    recurrent: false,
    hybrid: false,
  }
}
