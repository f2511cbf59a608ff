/**
 * What the rest of the engine needs of libllama: the only types that cross from `native/` into
 * `cache/` and `schedule/`. Token ids are `Int32Array`s, sequence ids small integers below
 * `ContextOptions.sequences`, positions start at 0.
 */

export interface ModelFacts {
  readonly architecture: string
  readonly name: string
  readonly vocabularySize: number
  readonly trainedContextTokens: number
  readonly parameters: number
  readonly layers: number
  /** Numbers of the vector of one token. */
  readonly width: number
  /** Attention heads per layer: the memory for attention scores grows with them. */
  readonly heads: number
  /** Bytes of f16 K and V of one token over all layers. */
  readonly kvBytesPerToken: number
  readonly fileBytes: number
  /** SHA-256 of the file, hex. */
  readonly fileHash: string
  /** State of these cannot be cut at any token; the engine then reuses only where it is exact. */
  readonly slidingWindow: number
  readonly recurrent: boolean
  readonly hybrid: boolean
  readonly bosToken: number
  readonly eosToken: number
  readonly addsBos: boolean
  readonly addsEos: boolean
  /** How the vectors of tokens become one embedding, where the file says it; the mean where it does not. */
  readonly pooling: 'mean' | 'last' | 'first' | 'rank'
  /** Jinja source from `tokenizer.chat_template`, if the file has one. */
  readonly chatTemplate: string | undefined
  /** `general.incipit.synthetic` of the file. */
  readonly synthetic: boolean
}

export interface Model {
  readonly facts: ModelFacts
  /** Text and id of every token that steers generation instead of standing for text, such as `<|im_end|>`. */
  readonly controlTokens: ReadonlyMap<string, number>
  /** `special`: text such as `<|im_end|>` becomes its control token. Never adds BOS or EOS. */
  tokenize(text: string, options: { readonly special: boolean }): Int32Array
  /** The bytes a token stands for; control tokens give none. */
  tokenBytes(token: number): Uint8Array
  /** The text of a token as the vocabulary spells it, control tokens included. */
  tokenText(token: number): string
  endsGeneration(token: number): boolean
  createContext(options: ContextOptions): Context
  /**
   * What an answer may be, as GBNF text whose first rule is `root`.
   * @throws Error with llama.cpp's words when the text is no grammar
   */
  createGrammar(text: string): Grammar
  close(): void
}

/** What one answer may still go on with. Close it when the answer has ended. */
export interface Grammar {
  allows(token: number): boolean
  /** The logits, with -Infinity for every token that may not come next; a view, valid until the next call. */
  mask(logits: Float32Array): Float32Array
  /** Goes on behind a token that it allows. */
  accept(token: number): void
  close(): void
}

export interface ContextOptions {
  /** Cells of the unified KV buffer, over all sequences. */
  readonly cells: number
  readonly batchTokens: number
  /** At most 256; of a sliding-window model 128. */
  readonly sequences: number
  readonly threads: { readonly decode: number; readonly prefill: number }
  readonly flashAttention: boolean
  /** Computes the vectors of tokens (`embedding`) instead of being asked for logits. */
  readonly embeddings?: boolean | undefined
  /** Use fewer threads while another process uses their cores; `false` = always all of them. */
  readonly yieldsCores?: boolean | undefined
}

/** One token of a batch. */
export type DecodeOutcome =
  | { readonly kind: 'done' }
  /** No room in the KV buffer: this call changed nothing. */
  | { readonly kind: 'full' }
  | { readonly kind: 'aborted' }

/**
 * A batch to decode, filled in place: no allocation per token. Entry `i` is token `tokens[i]` at
 * `positions[i]` of sequence `sequences[i]`; logits are computed where `wantsLogits[i]` is 1.
 */
export interface Batch {
  readonly tokens: Int32Array
  readonly positions: Int32Array
  readonly sequences: Int32Array
  readonly wantsLogits: Int8Array
  readonly capacity: number
}

/** Never call two of these at the same time: `decode` runs on another thread until it resolves. */
export interface Context {
  readonly batch: Batch
  readonly cells: number
  /** Identifies what a state blob can be restored into: library version, KV types, flash attention, layout. */
  readonly stateFormat: string
  /** Decodes the first `count` entries of `batch`. @throws Error on a broken batch or a fatal fault */
  decode(count: number): Promise<DecodeOutcome>
  /** Logits of batch entry `index`; a view, valid until the next decode. */
  logits(index: number): Float32Array
  /** The vector of batch entry `index`, where the context computes embeddings; a view, valid until the next decode. */
  embedding(index: number): Float32Array
  /** Shares `[start, end)` of `from` with `to`; moves no data. */
  copySequence(from: number, to: number, start: number, end: number): void
  /** Drops `[start, end)`; `end` -1 = to the end. False where the model's state cannot be cut there. */
  removeSequence(sequence: number, start: number, end: number): boolean
  /** Smallest and largest position of a sequence; -1 when it is empty. */
  sequenceRange(sequence: number): { readonly first: number; readonly last: number }
  /** Bytes that `readState` of a sequence writes. */
  stateBytes(sequence: number): number
  /** How many of them, at the end, hold what has no cells: the recurrent layers of a hybrid model. 0 elsewhere. */
  recurrentBytes(sequence: number): number
  /** Writes the state of a sequence into `target`; returns the bytes written. */
  readState(sequence: number, target: Uint8Array): number
  /** Replaces the state of a sequence; false when the blob is refused or there is no room. */
  writeState(sequence: number, source: Uint8Array): boolean
  close(): void
}

/** The loaded library. */
export interface Native {
  readonly version: string
  readonly packageName: string
  loadModel(path: string, options: { readonly dataDir: string }): Model
}
