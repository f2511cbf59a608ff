import type { EmbeddingQuestion, TokenCount } from '@incipit/core'
import { IncipitError } from '@incipit/core'

/** Digits that tell any two 32-bit floats apart. */
const floatDigits = 9

/** The answer of `POST /v1/embeddings`, as JSON text. */
export function embeddingsBody(answer: {
  readonly vectors: readonly Float32Array[]
  readonly dimensions: number | undefined
  readonly encoding: EmbeddingQuestion['encoding']
  readonly model: string
  readonly tokens: TokenCount
}): string {
  const { vectors, dimensions, encoding, model, tokens } = answer
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding: encoded(shortened(vector, dimensions), encoding),
  }))
  return JSON.stringify({ object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

/** @throws IncipitError `invalid_request` where more numbers are asked for than the model's vectors have */
export function checkDimensions(
  { dimensions }: Pick<EmbeddingQuestion, 'dimensions'>,
  vectors: readonly Float32Array[],
): void {
  const most = vectors[0]?.length ?? 0
  if (dimensions === undefined || dimensions <= most) return
  const message = `/dimensions is ${dimensions}, 1 to ${most} allowed for this model`
  throw new IncipitError('invalid_request', message, { param: '/dimensions' })
}

/** The first numbers, scaled to the length 1 again. */
function shortened(vector: Float32Array, dimensions: number | undefined): Float32Array {
  if (dimensions === undefined || dimensions >= vector.length) return vector
  const part = vector.subarray(0, dimensions)
  const length = Math.sqrt(part.reduce((sum, value) => sum + value * value, 0)) || 1
  return part.map((value) => value / length)
}

function encoded(vector: Float32Array, encoding: EmbeddingQuestion['encoding']): readonly number[] | string {
  if (encoding === 'float') return Array.from(vector, (value) => Number(value.toPrecision(floatDigits)))
  const bytes = Buffer.alloc(4 * vector.length)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, 4 * index)
  return bytes.toString('base64')
}
