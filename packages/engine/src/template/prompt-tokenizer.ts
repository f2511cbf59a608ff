import { Template } from '@huggingface/jinja'
import { IncipitError } from '@incipit/core'
import type { GenerationRequest } from '@incipit/core'
import { chatmlTemplate } from '../gguf/chatml.ts'
import type { Model } from '../native/contract.ts'
import { controlText, spellingPattern } from './control-text.ts'
import type { ControlText } from './control-text.ts'
import { templateInput, templateTraits } from './template-input.ts'
import type { TemplateTraits } from './template-input.ts'
import { TokenMemo } from './token-memo.ts'

const memoBytes = 64 * 1024 * 1024
const maxErrorChars = 300

/**
 * Text and tokens of chat requests for one model. The template is compiled once; pieces of text
 * between control tokens are tokenised once while they are remembered. That is exact: the tokenizer
 * cuts text at control tokens first and never merges across them.
 */
export class PromptTokenizer {
  readonly #model: Model
  readonly #template: Template
  readonly #traits: TemplateTraits
  readonly #control: ControlText
  readonly #memo: TokenMemo = new TokenMemo(memoBytes)

  /** @throws IncipitError `engine_failed` when the chat template of the file cannot be compiled */
  constructor(model: Model) {
    const source = model.facts.chatTemplate ?? chatmlTemplate
    this.#model = model
    this.#template = compile(source)
    this.#traits = templateTraits(source)
    this.#control = controlText(spellingPattern(model.controlTokens))
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
   * @throws IncipitError `invalid_request` when the template refuses the messages
   */
  tokens(generation: GenerationRequest): Int32Array {
    const pieces = this.#control.split(this.#render(generation, this.#control.disarm))
    const { addsBos, bosToken } = this.#model.facts
    if (addsBos && bosToken >= 0 && pieces[0] !== bosToken) pieces.unshift(bosToken)
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

  #render(generation: GenerationRequest, clean: (text: string) => string): string {
    const { bosToken, eosToken } = this.#model.facts
    const input = templateInput({ generation, traits: this.#traits, clean })
    try {
      return this.#template.render({ ...input, bos_token: this.#text(bosToken), eos_token: this.#text(eosToken) })
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      const message = `the model's chat template refuses these messages: ${reason.slice(0, maxErrorChars)}`
      throw new IncipitError('invalid_request', message, { param: 'messages', cause })
    }
  }

  #text(token: number): string {
    return token < 0 ? '' : this.#model.tokenText(token)
  }
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
 * The prompt of a request as the model's chat template writes it, for people to read.
 * @throws IncipitError `invalid_request` when the model's chat template refuses the messages
 * @example renderChat(model, generation) // '<|im_start|>user\n...'
 */
export function renderChat(model: Model, generation: GenerationRequest): string {
  return tokenizerOf(model).render(generation)
}

function tokenizerOf(model: Model): PromptTokenizer {
  let tokenizer = tokenizers.get(model)
  if (tokenizer === undefined) tokenizers.set(model, (tokenizer = new PromptTokenizer(model)))
  return tokenizer
}

function compile(source: string): Template {
  try {
    return new Template(source)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `the model's chat template cannot be compiled: ${reason.slice(0, maxErrorChars)}`
    throw new IncipitError('engine_failed', message, { cause })
  }
}
