import { digest } from '../digest.ts'
import { countTokens } from '../count-tokens.ts'
import type { JsonObject } from '../json.ts'
import { given, kindOf, numberOf } from '../json.ts'
import { Refusal } from '../refusal.ts'
import type { Reply } from '../reply.ts'
import { jsonReply } from '../reply.ts'
import { checkFields } from './check-common.ts'
import { embeddingModels } from './rules.ts'
import { refuse } from './wording.ts'

const fields = ['input', 'model', 'dimensions', 'encoding_format', 'user']
const maxInputs = 2_048

/** `POST /v1/embeddings`: unit vectors that follow from the words, so that texts with common words lie closer. */
export function embeddings(body: JsonObject): Reply {
  checkFields(body, fields)
  const id = body['model']
  if (typeof id !== 'string') throw refuse('required', 'model')
  const full = Object.hasOwn(embeddingModels.value, id) ? embeddingModels.value[id] : undefined
  if (full === undefined) {
    throw new Refusal(404, `The model \`${id}\` does not exist or you do not have access to it.`, {
      type: 'invalid_request_error',
      code: 'model_not_found',
    })
  }
  const inputs = inputsOf(body['input'])
  const dimensions = dimensionsOf(body, id, full)
  const base64 = body['encoding_format'] === 'base64'
  const data = inputs.map((input, index) => ({
    object: 'embedding',
    index,
    embedding: encoded(vectorOf(input, dimensions), base64),
  }))
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0)
  return jsonReply(200, { object: 'list', data, model: id, usage: { prompt_tokens: tokens, total_tokens: tokens } })
}

function inputsOf(input: unknown): readonly string[] {
  if (!given(input)) throw refuse('required', 'input')
  if (typeof input === 'string') return input === '' ? refuseEmpty() : [input]
  if (!Array.isArray(input)) throw refuse('wrongType', 'input', 'a string or an array', kindOf(input))
  if (input.length === 0 || input.includes('')) return refuseEmpty()
  if (input.length > maxInputs) throw refuse('invalidValue', 'input', `arrays of at most ${maxInputs} entries`)
  // One array of token ids is one input; arrays of them are several.
  if (input.every((entry) => typeof entry === 'number')) return [input.join(' ')]
  return input.map((entry) => (Array.isArray(entry) ? entry.join(' ') : String(entry)))
}

function refuseEmpty(): never {
  throw refuse('emptyArray', 'input')
}

function dimensionsOf(body: JsonObject, model: string, full: number): number {
  if (!given(body['dimensions'])) return full
  const wanted = numberOf(body['dimensions']) ?? 0
  if (model === 'text-embedding-ada-002') throw refuse('unsupported', 'dimensions')
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > full)
    throw refuse('invalidValue', 'dimensions', `1 to ${full}`)
  return wanted
}

function vectorOf(text: string, dimensions: number): readonly number[] {
  const vector = Array.from<number>({ length: dimensions }).fill(0)
  for (const word of text.toLowerCase().split(/\s+/)) {
    const hash = digest('word', word)
    for (let start = 0; start < 32; start += 8) {
      const value = Number.parseInt(hash.slice(start, start + 8), 16)
      const at = value % dimensions
      vector[at] = (vector[at] ?? 0) + (value & 1 ? 1 : -1)
    }
  }
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}

function encoded(vector: readonly number[], base64: boolean): readonly number[] | string {
  return base64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
}
