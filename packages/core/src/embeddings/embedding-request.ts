import { Field } from '../dialects/shared/field.ts'
import { identityOf, isolationKeyOf, modelOf } from '../dialects/shared/prompt-head.ts'
import { bodyOf, remember } from '../dialects/shared/scanned.ts'
import type { Prompt } from '../domain/prompt.ts'
import { scanJson } from '../json/scan-json.ts'

/** What a body of `POST /v1/embeddings` asks for. */
export interface EmbeddingQuestion {
  /** Texts, or lists of token ids. */
  readonly inputs: readonly (string | readonly number[])[]
  /** How many numbers a vector is to have; `undefined` = all of them. */
  readonly dimensions: number | undefined
  readonly encoding: 'float' | 'base64'
}

/** Inputs of one request: what OpenAI takes. */
const mostInputs = 2_048
/** More ids than any model reads of one input. */
const mostTokenIds = 300_000
const largestId = 2 ** 31 - 1
const mostDimensions = 65_536

/**
 * Finds in a body of `POST /v1/embeddings` what says where it goes; reads no input. It has no segments: nothing of it
 * is a prefix of anything.
 *
 * @throws IncipitError `invalid_json`, `missing_field`, `invalid_request`
 * @example parseEmbedding(body).model // 'text-embedding-3-small'
 */
export function parseEmbedding(body: Uint8Array): Prompt {
  const document = scanJson(body)
  const root = Field.root(document)
  const prompt: Prompt = {
    dialect: 'openai-chat',
    body,
    model: modelOf(root, undefined),
    stream: false,
    segments: [],
    profile: {},
    breakpoints: [],
    identity: identityOf(root),
    isolationKey: isolationKeyOf(root),
  }
  return remember(prompt, document)
}

/**
 * Reads such a body whole.
 * @throws IncipitError naming the pointer of what cannot be, with what stands there and what may
 * @example readEmbedding(parseEmbedding(body)).inputs.length
 */
export function readEmbedding(prompt: Prompt): EmbeddingQuestion {
  const root = bodyOf(prompt)
  return {
    inputs: inputsOf(root.get('input')),
    dimensions: root.find('dimensions')?.integer({ min: 1, max: mostDimensions }),
    encoding: root.find('encoding_format')?.oneOf(['float', 'base64']) ?? 'float',
  }
}

function inputsOf(input: Field): EmbeddingQuestion['inputs'] {
  if (input.kind === 'string') return [textOf(input)]
  if (input.kind !== 'array') return input.fail('a string, an array of strings, or token ids')
  const elements = input.elements()
  const [first] = elements
  if (first === undefined) return input.fail('at least one input')
  if (first.kind === 'number') return [idsOf(input, elements)]
  if (elements.length > mostInputs) return input.fail(`at most ${mostInputs} inputs, and not ${elements.length}`)
  return elements.map((element) => (element.kind === 'array' ? idsOf(element, element.elements()) : textOf(element)))
}

function textOf(field: Field): string {
  const text = field.string()
  return text === '' ? field.fail('a string that is not empty') : text
}

function idsOf(list: Field, elements: readonly Field[]): readonly number[] {
  if (elements.length === 0) return list.fail('at least one token id')
  if (elements.length > mostTokenIds) return list.fail(`at most ${mostTokenIds} token ids, and not ${elements.length}`)
  return elements.map((id) => id.integer({ min: 0, max: largestId }))
}
