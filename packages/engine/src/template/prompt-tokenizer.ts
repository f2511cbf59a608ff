import { IncipitError } from '@incipit/core'
import type { GenerationRequest, PromptPlace } from '@incipit/core'
import { sharedLength } from '../cache/shared-length.ts'
import { chatmlTemplate } from '../gguf/chatml.ts'
import type { Model } from '../native/contract.ts'
import type { ChatTemplate } from './chat-template.ts'
import { compileTemplate } from './chat-template.ts'
import { controlText, spellingPattern } from './control-text.ts'
import type { ControlText } from './control-text.ts'
import { givenDate, templateInput } from './template-input.ts'
import type { TemplateTraits } from './template-traits.ts'
import { templateTraits } from './template-traits.ts'
import { TokenMemo } from './token-memo.ts'

const memoBytes = 32 * 1024 * 1024

/**
 * Text and tokens of chat requests for one model. The template is compiled once; pieces of text
 * between control tokens are tokenised once while they are remembered. That is exact: the tokenizer
 * cuts text at control tokens first and never merges across them.
 */
export class PromptTokenizer {
  readonly traits: TemplateTraits
  readonly #model: Model
  readonly #template: ChatTemplate
  readonly #tokenTexts: { readonly bos_token: string; readonly eos_token: string }
  readonly #control: ControlText
  readonly #memo: TokenMemo = new TokenMemo(memoBytes)

  /** @throws IncipitError `engine_failed` when the chat template of the file cannot be compiled */
  constructor(model: Model) {
    const { bosToken, eosToken, chatTemplate = chatmlTemplate } = model.facts
    const text = (token: number): string => (token < 0 ? '' : model.tokenText(token))
    this.#model = model
    this.#template = compileTemplate(chatTemplate)
    this.#tokenTexts = { bos_token: text(bosToken), eos_token: text(eosToken) }
    this.traits = templateTraits(this.#template, this.#tokenTexts)
    this.#control = controlText(spellingPattern(model.controlTokens))
  }

  /** The template, as the file has it. */
  get source(): string {
    return this.#template.source
  }

  /**
   * The prompt as the model's chat template writes it.
   * @throws IncipitError `invalid_request` when the template refuses the messages
   */
  render(generation: GenerationRequest): string {
    return this.#render(generation, (text) => text)
  }

  /**
   * The tokens of a request's prompt. Control tokens come from the template only: their spelling
   * inside a message is ordinary text. Exactly one BOS where the model wants one.
   * @param asks whether the prompt ends where the model is to go on
   * @throws IncipitError `invalid_request` when the template refuses the messages
   */
  tokens(generation: GenerationRequest, asks: boolean = true): Int32Array {
    return this.#tokensOf(this.#pieces(generation, asks))
  }

  /**
   * How many of a prompt's `tokens` come before a place in it: those that it has in common with every prompt that is
   * the same up to there.
   */
  position(generation: GenerationRequest, tokens: Int32Array, place: PromptPlace): number {
    const inText = place.kind === 'text' ? this.#positionInText(generation, tokens, place) : undefined
    if (inText !== undefined) return inText
    const cut = upTo(generation, place)
    // A template may refuse half a conversation: a question makes it whole, or nothing is known to be before the place.
    const asked = { ...cut, messages: [...cut.messages, { role: 'user' as const, content: placeMark }] }
    const other = this.#taken(cut) ?? this.#taken(asked)
    return other === undefined ? 0 : sharedLength(tokens, other)
  }

  /** `undefined` where the template refuses the messages. */
  #taken(generation: GenerationRequest): Int32Array | undefined {
    try {
      return this.tokens(generation, false)
    } catch (cause) {
      if (IncipitError.is(cause)) return undefined
      throw cause
    }
  }

  /** Where a mark comes out that is put there; `undefined` where the template does not let it pass unchanged. */
  #positionInText(
    generation: GenerationRequest,
    tokens: Int32Array,
    place: Extract<PromptPlace, { kind: 'text' }>,
  ): number | undefined {
    const message = generation.messages[place.message]
    if (message === undefined) return undefined
    const { content } = message
    // Templates may cut white space off the end of a text.
    const at = content.slice(0, place.length).trimEnd().length
    const marked = { ...message, content: content.slice(0, at) + placeMark + content.slice(at) }
    const pieces = this.#pieces({ ...generation, messages: generation.messages.with(place.message, marked) }, true)
    const found = pieces.flatMap((piece, index) =>
      typeof piece !== 'number' && piece.includes(placeMark) ? [index] : [],
    )
    const [index = 0] = found
    const piece = pieces[index]
    if (found.length !== 1 || typeof piece !== 'string' || piece.split(placeMark).length !== 2) return undefined
    const [before = '', behind = ''] = piece.split(placeMark)
    const whole = before + behind
    const unmarked = whole === '' ? pieces.toSpliced(index, 1) : pieces.with(index, whole)
    if (!sameTokens(this.#tokensOf(unmarked), tokens)) return undefined
    const earlier = this.#tokensOf(pieces.slice(0, index)).length
    return before === '' ? earlier : earlier + sharedLength(this.#tokenize(whole), this.#tokenize(before))
  }

  #pieces(generation: GenerationRequest, asks: boolean): readonly (string | number)[] {
    const pieces = this.#control.split(this.#render(generation, this.#control.disarm, asks))
    const { addsBos, bosToken } = this.#model.facts
    if (addsBos && bosToken >= 0 && pieces[0] !== bosToken) pieces.unshift(bosToken)
    return pieces
  }

  #tokensOf(pieces: readonly (string | number)[]): Int32Array {
    const parts = pieces.map((piece) => (typeof piece === 'number' ? Int32Array.of(piece) : this.#tokenize(piece)))
    const tokens = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      tokens.set(part, at)
      at += part.length
    }
    return tokens
  }

  #tokenize(text: string): Int32Array {
    return this.#memo.get(text, (piece) => this.#model.tokenize(piece, { special: false }))
  }

  #render(generation: GenerationRequest, clean: (text: string) => string, asks = true): string {
    const input = templateInput({ generation, traits: this.traits, clean, asks })
    const date = givenDate(generation.switches)
    return this.#template.render({ ...input, ...this.#tokenTexts }, date === undefined ? undefined : clean(date))
  }
}

/** A noncharacter that is no mark of `controlText`: no template has a use for it. */
const placeMark = '\uFDD3'

function upTo(generation: GenerationRequest, place: PromptPlace): GenerationRequest {
  if (place.kind === 'tool') {
    // Another tool in the place of the next one: what both have in common ends with this one, also where it is the last.
    const other = { name: placeMark, parametersJson: '{}' }
    return { ...generation, tools: [...generation.tools.slice(0, place.index + 1), other] }
  }
  const messages = generation.messages.slice(0, place.message + 1)
  const last = messages.at(-1)
  if (place.kind === 'message' || last === undefined) return { ...generation, messages }
  const cut = { role: last.role, content: last.content.slice(0, place.length) }
  return { ...generation, messages: [...messages.slice(0, -1), cut] }
}

function sameTokens(left: Int32Array, right: Int32Array): boolean {
  return left.length === right.length && sharedLength(left, right) === left.length
}

const tokenizers = new WeakMap<Model, PromptTokenizer>()

/**
 * The exact tokens a model would evaluate for a request.
 * @throws IncipitError `invalid_request` when the model's chat template refuses the messages
 * @example promptTokens(model, generation).length
 */
export function promptTokens(model: Model, generation: GenerationRequest): Int32Array {
  return tokenizerOf(model).tokens(generation)
}

/**
 * How many tokens of a request's prompt come before a place in it.
 * @example promptPosition(model, generation, tokens, { kind: 'message', message: 0 })
 */
export function promptPosition(
  model: Model,
  prompt: { readonly generation: GenerationRequest; readonly tokens: Int32Array },
  place: PromptPlace,
): number {
  return tokenizerOf(model).position(prompt.generation, prompt.tokens, place)
}

/**
 * The prompt of a request as the model's chat template writes it, for people to read.
 * @throws IncipitError `invalid_request` when the model's chat template refuses the messages
 * @example renderChat(model, generation) // '<|im_start|>user\n...'
 */
export function renderChat(model: Model, generation: GenerationRequest): string {
  return tokenizerOf(model).render(generation)
}

/** The one tokenizer of a model, made at its first prompt. */
export function tokenizerOf(model: Model): PromptTokenizer {
  let tokenizer = tokenizers.get(model)
  if (tokenizer === undefined) tokenizers.set(model, (tokenizer = new PromptTokenizer(model)))
  return tokenizer
}

/**
 * What the template of a model takes; `undefined` where it cannot be compiled.
 * @example templateTraitsOf(model)?.toolDefinitions // true
 */
export function templateTraitsOf(model: Model): TemplateTraits | undefined {
  try {
    return tokenizerOf(model).traits
  } catch (error) {
    if (IncipitError.is(error)) return undefined
    throw error
  }
}
