import { readGgufHeader } from '../gguf/read.ts'
import type { GgufHeader, GgufMetadata } from '../gguf/read.ts'

/** Required numbers of an architecture, and the largest that llama.cpp takes. */
const dimensions: readonly (readonly [key: string, limit: number])[] = [
  ['block_count', 512],
  ['embedding_length', 1_048_576],
  ['context_length', 2 ** 31 - 1],
]

const maxHeadNumber = 65_536

/**
 * Reads the header of a model and refuses what llama.cpp would meet with an assertion, which ends the
 * process, instead of an error.
 *
 * @throws Error naming the path and what is wrong
 * @example readModelHeader('model.gguf').tensors // 272
 */
export function readModelHeader(path: string): GgufHeader {
  const header = readGgufHeader(path)
  const problem = findProblem(header)
  if (problem !== undefined) throw new Error(`cannot read model "${path}": ${problem}`)
  return header
}

function findProblem({ metadata, tensors }: GgufHeader): string | undefined {
  const architecture = metadata.get('general.architecture')
  if (typeof architecture !== 'string') return 'it has no "general.architecture"'
  if (typeof metadata.get('tokenizer.ggml.model') !== 'string') return 'it has no "tokenizer.ggml.model"'
  if (tensors === 0) return 'it has no tensors'
  for (const [key, limit] of dimensions) {
    const value = metadata.get(`${architecture}.${key}`)
    if (!isWithin(value, limit)) return `"${architecture}.${key}" is ${describe(value)}, 1 to ${limit} allowed`
  }
  return headProblem(architecture, metadata) ?? tokenProblem(metadata)
}

function headProblem(architecture: string, metadata: GgufHeader['metadata']): string | undefined {
  for (const key of ['head_count', 'head_count_kv', 'key_length', 'value_length']) {
    const value = metadata.get(`${architecture}.attention.${key}`)
    // Layers that are not attention have 0 heads; hybrid models list a number per layer.
    const allowed = value === undefined || value === 0 || typeof value === 'object' || isWithin(value, maxHeadNumber)
    if (!allowed) return `"${architecture}.attention.${key}" is ${describe(value)}, 0 to ${maxHeadNumber} allowed`
  }
  const rotated = metadata.get(`${architecture}.rope.dimension_count`)
  const headWidth = metadata.get(`${architecture}.attention.key_length`)
  if (typeof rotated === 'number' && typeof headWidth === 'number' && rotated > headWidth) {
    return `"${architecture}.rope.dimension_count" is ${rotated}, at most ${headWidth} allowed`
  }
  return undefined
}

function tokenProblem(metadata: GgufHeader['metadata']): string | undefined {
  const tokens = metadata.get('tokenizer.ggml.tokens')
  if (typeof tokens !== 'object' || Array.isArray(tokens)) return 'it has no vocabulary'
  if ('distinct' in tokens && tokens.distinct !== tokens.length) {
    return `its vocabulary has ${tokens.length} tokens, but only ${String(tokens.distinct)} different ones`
  }
  for (const list of ['token_type', 'scores']) {
    const values = metadata.get(`tokenizer.ggml.${list}`)
    if (values !== undefined && (typeof values !== 'object' || values.length !== tokens.length)) {
      return `"tokenizer.ggml.${list}" is ${describe(values)}, a list of ${tokens.length} expected`
    }
  }
  return undefined
}

function isWithin(value: GgufMetadata | undefined, limit: number): boolean {
  return typeof value === 'number' && value >= 1 && value <= limit
}

function describe(value: GgufMetadata | undefined): string {
  if (value === undefined) return 'missing'
  return typeof value === 'object' ? `a list of ${value.length}` : `${typeof value} ${String(value).slice(0, 40)}`
}
