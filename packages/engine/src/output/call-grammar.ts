import type { ToolDefinition } from '@incipit/core'
import type { GrammarRules } from '../grammar/gbnf.ts'
import { grammarText, literal, oneOf, repeated } from '../grammar/gbnf.ts'
import type { JsonRules } from '../grammar/json-rules.ts'
import { addJsonRules } from '../grammar/json-rules.ts'
import { parseSchema, SchemaRules } from '../grammar/schema-grammar.ts'
import type { CallStyle } from './call-style.ts'
import { looseMatch } from './loose-match.ts'

/** Calls in one answer at most. */
const mostCalls = 16

export interface CallGrammarOptions {
  readonly tools: readonly ToolDefinition[]
  readonly style: CallStyle
  readonly parallel: boolean
}

/**
 * The grammar of calls, behind the text in `written`: what of them is there already. Arguments follow the schema of
 * their tool; a schema that no grammar can express is kept to only as far as JSON goes, unless the tool is strict.
 *
 * @throws IncipitError naming the pointer of a strict tool's schema that cannot be kept to
 * @example callGrammar({ tools, style, parallel: true }, '<tool_call>')
 */
export function callGrammar(options: CallGrammarOptions, written: string): string {
  return grammarText((rules) => addCalls(rules, addJsonRules(rules), options, written))
}

/** Adds the rules of calls to a grammar. @returns what stands for all of them */
export function addCalls(rules: GrammarRules, json: JsonRules, options: CallGrammarOptions, written = ''): string {
  const { tools, style, parallel } = options
  const choices = tools.map((tool) => {
    const name = literal(JSON.stringify(tool.name) + style.beforeArguments)
    return rules.add('tool', `${name} ${argumentsRule(rules, json, tool)}`)
  })
  const body = rules.add('call', `${oneOf(choices)} ${literal(style.behindArguments)}`)
  const more = repeated(`(${literal(style.between + style.beforeName)} ${body})`, 0, parallel ? mostCalls - 1 : 0)
  const start = style.trigger + style.open + style.beforeName
  const rest = start.slice(looseMatch(start, written)?.expected ?? 0)
  const close = style.close === '' ? '' : ` ${literal(style.close)}`
  return `${rest === '' ? '""' : literal(rest)} ${body}${parallel ? ` ${more}` : ''}${close}`
}

function argumentsRule(rules: GrammarRules, json: JsonRules, tool: ToolDefinition): string {
  const pointer = tool.pointer ?? '/tools'
  const schema = parseSchema(tool.parametersJson, pointer)
  try {
    const options = { strict: tool.strict === true, pointer }
    return rules.add('arguments', new SchemaRules(rules, schema, options, json).root())
  } catch (error) {
    if (tool.strict === true) throw error
    return json.object
  }
}
