import { readFileSync } from 'node:fs'
import { chatmlTemplate } from '../gguf/chatml.ts'
import { modelShapes, syntheticModel } from '../gguf/synthetic-model.ts'
import type { Model, ModelFacts } from '../native/contract.ts'

/** A chat template in the shape of a published family: written for tests, from the formats of their prompts. */
export interface TestTemplate {
  readonly name: string
  readonly source: string
  /** Spellings that are control tokens in models of this family; the first one begins, the second one ends. */
  readonly control: readonly string[]
  /** Whether the tokenizer adds the first control token where the template does not. */
  readonly addsBos: boolean
}

const chatmlControl = ['<|endoftext|>', '<|im_end|>', '<|im_start|>']
const gemmaControl = ['<bos>', '<end_of_turn>', '<start_of_turn>']
const mistralControl =
  '<s> </s> [INST] [/INST] [TOOL_CALLS] [TOOL_RESULTS] [/TOOL_RESULTS] [AVAILABLE_TOOLS] [/AVAILABLE_TOOLS]'.split(' ')
const deepseekControl = (
  '<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜User｜> <｜Assistant｜> ' +
  '<｜tool▁calls▁begin｜> <｜tool▁calls▁end｜> <｜tool▁call▁begin｜> <｜tool▁call▁end｜> <｜tool▁sep｜> ' +
  '<｜tool▁output▁begin｜> <｜tool▁output▁end｜>'
).split(' ')

/** One of every family; models of other templates in the same shape behave the same. */
export const testTemplates: readonly TestTemplate[] = [
  { name: 'chatml', source: chatmlTemplate, control: chatmlControl, addsBos: false },
  {
    name: 'llama-3',
    source: sourceOf('llama-3'),
    control: ['<|begin_of_text|>', '<|eot_id|>', '<|start_header_id|>', '<|end_header_id|>', '<|python_tag|>'],
    addsBos: true,
  },
  { name: 'qwen-2.5', source: sourceOf('qwen-2.5'), control: chatmlControl, addsBos: false },
  { name: 'qwen-3', source: sourceOf('qwen-3'), control: chatmlControl, addsBos: false },
  { name: 'gemma-2', source: sourceOf('gemma-2'), control: gemmaControl, addsBos: true },
  { name: 'gemma-3', source: sourceOf('gemma-3'), control: gemmaControl, addsBos: true },
  { name: 'mistral-v3', source: sourceOf('mistral-v3'), control: mistralControl, addsBos: true },
  {
    name: 'mistral-v7',
    source: sourceOf('mistral-v7'),
    control: [...mistralControl, '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]'],
    addsBos: true,
  },
  {
    name: 'harmony',
    source: sourceOf('harmony'),
    control: ['<|startoftext|>', '<|return|>', '<|start|>', '<|end|>', '<|message|>', '<|channel|>', '<|call|>'],
    addsBos: false,
  },
  { name: 'deepseek', source: sourceOf('deepseek'), control: deepseekControl, addsBos: true },
]

/** @throws Error when there is none of that name */
export function testTemplate(name: string): TestTemplate {
  const found = testTemplates.find((template) => template.name === name)
  if (found === undefined) throw new Error(`no test template is named ${name}`)
  return found
}

function sourceOf(name: string): string {
  return readFileSync(new URL(`chat-templates/${name}.jinja`, import.meta.url), 'utf8')
}

/** First id of control tokens that a test adds to a vocabulary. */
export const addedTokens = 10_000

/** A model with another template, and `control` spellings as tokens beyond its vocabulary: for prompts, not for answers. */
export function withTemplate(
  base: Model,
  chatTemplate: string | undefined,
  options: { readonly control?: readonly string[]; readonly facts?: Partial<ModelFacts> } = {},
): Model {
  const extra = (options.control ?? []).map((spelling, index) => [spelling, addedTokens + index] as const)
  const spellings = new Map(extra.map(([spelling, id]) => [id, spelling]))
  return {
    facts: { ...base.facts, chatTemplate, ...options.facts },
    controlTokens: new Map([...base.controlTokens, ...extra]),
    tokenize: (text, how) => base.tokenize(text, how),
    tokenBytes: (token) => (token < addedTokens ? base.tokenBytes(token) : new Uint8Array(0)),
    tokenText: (token) => spellings.get(token) ?? base.tokenText(token),
    endsGeneration: (token) => token < addedTokens && base.endsGeneration(token),
    createContext: (how) => base.createContext(how),
    close: () => undefined,
    createGrammar: () => {
      throw new Error('no answers here')
    },
  }
}

/** A model of a family: its template and its control tokens. */
export function modelOf(base: Model, { source, control, addsBos }: TestTemplate): Model {
  const facts = { bosToken: addedTokens, eosToken: addedTokens + 1, addsBos }
  return withTemplate(base, source, { control, facts })
}

/** Path of a small model file of a family: it can answer, without a meaning. */
export function modelFileOf({ source, control, addsBos }: TestTemplate, directory: string): string {
  const [bos, eos] = control
  return syntheticModel(modelShapes.tiny, directory, { chatTemplate: source, control, bos, eos, addsBos })
}

/** The text of tokens, control tokens as they are spelled. */
export function textOf(model: Model, tokens: Int32Array): string {
  const parts = [...tokens].map((token) => {
    const bytes = model.tokenBytes(token)
    return bytes.length === 0 ? Buffer.from(model.tokenText(token)) : Buffer.from(bytes)
  })
  return Buffer.concat(parts).toString('utf8')
}
