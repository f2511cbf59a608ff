import { IncipitError } from '@incipit/core'
import type { GenerationRequest } from '@incipit/core'
import { GrammarRules } from '../grammar/gbnf.ts'
import { addJsonRules } from '../grammar/json-rules.ts'
import { parseSchema, SchemaRules } from '../grammar/schema-grammar.ts'
import type { Grammar, Model } from '../native/contract.ts'
import type { CallGrammarOptions } from './call-grammar.ts'
import { addCalls } from './call-grammar.ts'
import type { CallStyle } from './call-style.ts'
import { GrammarMemo } from './grammar-memo.ts'
import type { OutputMarks } from './output-scan.ts'

/** What an answer may look like. */
export interface AnswerPlan {
  readonly marks: OutputMarks
  /** Kept to from the first token on; `undefined` = any text. */
  readonly grammar: string | undefined
  /** Kept to once the trigger of calls has been generated, and `written` behind it. */
  callsBehind(written: string): string
}

/** What of a template steers answers. */
export interface TemplateMarks {
  readonly calls: CallStyle
  readonly thinking: OutputMarks['thinking']
  /** Answers of which no form is asked for come in channels. */
  readonly channels: boolean
}

/** Of calls, and of forms. */
const memoBytes = 8 * 1024 * 1024
const noCalls = (): string => {
  throw new Error('there are no tools to call')
}

/**
 * Says what answers to requests may look like: tools that may or must be called, and the form that was asked for. Grammars
 * of the same tools and forms are made once, while they are remembered.
 *
 * @example new AnswerPlanner(templateMarks(source)).plan(generation).grammar
 */
export class AnswerPlanner {
  readonly #template: TemplateMarks
  readonly #calls = new GrammarMemo<(written: string) => string>(memoBytes)
  readonly #forms = new GrammarMemo<string>(memoBytes)

  constructor(template: TemplateMarks) {
    this.#template = template
  }

  /**
   * @param thinking marks of thinking behind the prompt of this request
   * @throws IncipitError naming the pointer of what cannot be kept to
   */
  plan(generation: GenerationRequest, thinking: OutputMarks['thinking'] = this.#template.thinking): AnswerPlan {
    const { toolChoice, format } = generation
    const tools = callable(generation)
    const mustCall = toolChoice === 'required' || typeof toolChoice === 'object'
    const isText = format === undefined || format.kind === 'text'
    const style = this.#template.calls
    const calls = { tools, style, parallel: generation.parallelToolCalls }
    const marks = {
      calls: tools.length === 0 ? undefined : style,
      thinking: mustCall || !isText ? undefined : thinking,
    }
    const callsBehind = tools.length === 0 ? noCalls : this.#callsBehind(calls)
    if (!mustCall && isText) {
      return { marks: { ...marks, channels: this.#template.channels }, callsBehind, grammar: undefined }
    }
    if (mustCall) return { marks, callsBehind, grammar: callsBehind('') }
    return { marks, callsBehind, grammar: this.#form(generation, calls) }
  }

  /** Made with the request, so that what cannot be kept to is refused before anything is generated. */
  #callsBehind(calls: CallGrammarOptions): (written: string) => string {
    return this.#calls.get(keyOf(calls), () => {
      const rules = new GrammarRules()
      const root = addCalls(rules, addJsonRules(rules), calls)
      const text = rules.lines()
      return { value: (written) => `root ::= ${root(written)}\n${text}`, bytes: 2 * text.length }
    })
  }

  /** The form that was asked for, or calls. */
  #form({ format }: GenerationRequest, calls: CallGrammarOptions): string {
    const key = [...keyOf(calls), JSON.stringify(format)]
    return this.#forms.get(key, () => {
      const rules = new GrammarRules()
      const json = addJsonRules(rules)
      const alternatives = calls.tools.length === 0 ? [] : [addCalls(rules, json, calls)('')]
      if (format?.kind === 'schema') {
        const options = { strict: format.strict === true, pointer: format.pointer ?? '/response_format' }
        alternatives.push(new SchemaRules(rules, parseSchema(format.schemaJson, options.pointer), options, json).root())
      } else alternatives.push(json.object)
      const value = rules.text(alternatives.join(' | '))
      return { value, bytes: 2 * value.length }
    })
  }
}

/** All that the grammar of calls depends on, and where errors are to point. */
function keyOf({ tools, parallel }: CallGrammarOptions): string[] {
  return [
    String(parallel),
    ...tools.flatMap(({ name, parametersJson, strict, pointer }) => [
      name,
      parametersJson,
      String(strict),
      pointer ?? '',
    ]),
  ]
}

/** @throws IncipitError when llama.cpp does not take the grammar */
export function openGrammar(model: Model, text: string): Grammar {
  try {
    return model.createGrammar(text)
  } catch (cause) {
    const message = `the schema cannot be kept to: ${cause instanceof Error ? cause.message : String(cause)}`
    throw new IncipitError('unsupported_feature', message, { cause })
  }
}

function callable({ tools, toolChoice }: GenerationRequest): GenerationRequest['tools'] {
  if (toolChoice === 'none') return []
  if (typeof toolChoice === 'string') {
    if (toolChoice === 'required' && tools.length === 0) unknownTool('a tool is to be called, and there is none')
    return tools
  }
  const chosen = tools.filter(({ name }) => name === toolChoice.name)
  if (chosen.length === 0)
    unknownTool(`the tool ${JSON.stringify(toolChoice.name)} is to be called, and there is none of that name`)
  return chosen
}

function unknownTool(message: string): never {
  throw new IncipitError('invalid_request', `/tool_choice: ${message}`, { param: '/tool_choice' })
}
