import { IncipitError } from '@incipit/core'
import type { GenerationRequest } from '@incipit/core'
import type { GrammarRules } from '../grammar/gbnf.ts'
import { grammarText } from '../grammar/gbnf.ts'
import { addJsonRules } from '../grammar/json-rules.ts'
import { parseSchema, SchemaRules } from '../grammar/schema-grammar.ts'
import type { Grammar, Model } from '../native/contract.ts'
import type { CallGrammarOptions } from './call-grammar.ts'
import { addCalls, callGrammar } from './call-grammar.ts'
import type { CallStyle } from './call-style.ts'
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
}

/**
 * What an answer to a request may look like: tools that may or must be called, and the form that was asked for.
 *
 * @throws IncipitError naming the pointer of what cannot be kept to
 * @example planAnswer(generation, templateMarks(source)).grammar
 */
export function planAnswer(generation: GenerationRequest, template: TemplateMarks): AnswerPlan {
  const { toolChoice, format } = generation
  const tools = callable(generation)
  const calls = { tools, style: template.calls, parallel: generation.parallelToolCalls }
  const mustCall = toolChoice === 'required' || typeof toolChoice === 'object'
  const isText = format === undefined || format.kind === 'text'
  const plan = {
    marks: {
      calls: tools.length === 0 ? undefined : template.calls,
      thinking: mustCall || !isText ? undefined : template.thinking,
    },
    callsBehind: (written: string) => callGrammar(calls, written),
  }
  if (!mustCall && isText) return { ...plan, grammar: undefined }
  const grammar = grammarText((rules) => alternativesOf(rules, generation, { calls, mustCall }).join(' | '))
  return { ...plan, grammar }
}

/** What the whole answer may be: calls, or the form that was asked for. */
function alternativesOf(
  rules: GrammarRules,
  { format }: GenerationRequest,
  { calls, mustCall }: { readonly calls: CallGrammarOptions; readonly mustCall: boolean },
): string[] {
  const json = addJsonRules(rules)
  const alternatives: string[] = []
  if (calls.tools.length > 0) alternatives.push(addCalls(rules, json, calls))
  if (!mustCall && format?.kind === 'json') alternatives.push(json.object)
  if (!mustCall && format?.kind === 'schema') {
    const options = { strict: format.strict === true, pointer: format.pointer ?? '/response_format' }
    alternatives.push(new SchemaRules(rules, parseSchema(format.schemaJson, options.pointer), options, json).root())
  }
  return alternatives
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
