import { byteSpelling, trainMerges } from './bpe.ts'
import type { GgufValue } from './write.ts'

/** A byte-level vocabulary: control tokens first, then the 256 bytes, then what the merges make. */
export interface Vocabulary {
  readonly tokens: readonly string[]
  /** 1 ordinary, 3 control, 5 unused: the numbers of `tokenizer.ggml.token_type`. */
  readonly types: readonly number[]
  readonly merges: readonly string[]
}

/** The control tokens of our own models; their index is their token id. */
export const controlTokens: readonly string[] = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']

/** Token ids of `controlTokens` and of the first byte token. */
export const tokenIds: {
  readonly endOfText: 0
  readonly imStart: 1
  readonly imEnd: 2
  readonly firstByte: 3
} = { endOfText: 0, imStart: 1, imEnd: 2, firstByte: 3 }

/**
 * Trains a vocabulary of exactly `size` tokens; what the text cannot fill is marked unused.
 *
 * @example trainVocabulary({ text: 'to be or not to be', size: 300, merges: 41 }).tokens.length // 300
 */
export function trainVocabulary(options: {
  readonly text: string
  readonly size: number
  readonly merges: number
}): Vocabulary {
  const trained = trainMerges(options.text, options.merges)
  const tokens = [...controlTokens, ...byteSpelling, ...new Set(trained.tokens)]
  if (tokens.length > options.size) {
    throw new RangeError(`vocabulary has ${tokens.length} tokens, ${options.size} allowed`)
  }
  const used = tokens.length
  while (tokens.length < options.size) tokens.push(`[unused${tokens.length - used}]`)
  const types = tokens.map((_, id) => (id < controlTokens.length ? 3 : id < used ? 1 : 5))
  return { tokens, types, merges: trained.merges }
}

/**
 * A vocabulary in which unused tokens have become control tokens.
 * @throws RangeError when it has fewer unused tokens
 * @example withControlTokens(vocabulary, ['[INST]', '[/INST]'])
 */
export function withControlTokens(vocabulary: Vocabulary, spellings: readonly string[]): Vocabulary {
  const tokens = [...vocabulary.tokens]
  const types = [...vocabulary.types]
  for (const spelling of spellings) {
    if (tokens.includes(spelling)) continue
    const id = types.indexOf(5)
    if (id === -1) throw new RangeError(`no unused token is left for ${spelling}, ${spellings.length} are wanted`)
    tokens[id] = spelling
    types[id] = 3
  }
  return { ...vocabulary, tokens, types }
}

/** What a model file says of its tokenizer beside the vocabulary. */
export interface TokenizerTraits {
  readonly chatTemplate: string
  readonly bos?: string | undefined
  readonly eos?: string | undefined
  readonly addsBos?: boolean | undefined
}

/** The `tokenizer.*` metadata of a model with this vocabulary. */
export function tokenizerMetadata(vocabulary: Vocabulary, traits: TokenizerTraits): [string, GgufValue][] {
  const { chatTemplate, bos = '<|endoftext|>', eos = '<|im_end|>', addsBos = false } = traits
  const idOf = (spelling: string): number => vocabulary.tokens.indexOf(spelling)
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'llama-bpe' }],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', values: vocabulary.tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'i32', values: vocabulary.types }],
    ['tokenizer.ggml.merges', { type: 'array', of: 'string', values: vocabulary.merges }],
    ['tokenizer.ggml.bos_token_id', { type: 'u32', value: idOf(bos) }],
    ['tokenizer.ggml.eos_token_id', { type: 'u32', value: idOf(eos) }],
    ['tokenizer.ggml.padding_token_id', { type: 'u32', value: tokenIds.endOfText }],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: addsBos }],
    ['tokenizer.chat_template', { type: 'string', value: chatTemplate }],
  ]
}
