import { IncipitError } from '@incipit/core'
import type { ToolDefinition } from '@incipit/core'
import { GrammarRules, literal, repeated } from '../grammar/gbnf.ts'
import type { JsonRules } from '../grammar/json-rules.ts'
import { emptyTrie } from '../grammar/literal-trie.ts'
import { parseSchema, SchemaRules } from '../grammar/schema-grammar.ts'
import type { CallStyle } from './call-style.ts'
import { looseMatch } from './loose-match.ts'

/** Calls in one answer at most. */
const mostCalls = 16
/** Rules for the tools of one request; arguments of those behind are any JSON objects. */
const mostRules = 100_000

export interface CallGrammarOptions {
  readonly tools: readonly ToolDefinition[]
  readonly style: CallStyle
  readonly parallel: boolean
}

/**
 * Adds the rules of calls to a grammar. Arguments follow the schema of their tool; a schema that no grammar can express
 * is kept to only as far as JSON goes, unless the tool is strict.
 *
 * @returns what stands for all calls, behind the text in `written`: what of them is there already
 * @throws IncipitError naming the pointer of a strict tool's schema that cannot be kept to
 * @example addCalls(rules, addJsonRules(rules), { tools, style, parallel: true })('<tool_call>')
 */
export function addCalls(
  rules: GrammarRules,
  json: JsonRules,
  { tools, style, parallel }: CallGrammarOptions,
): (written: string) => string {
  // Many tools of one server have the same arguments.
  const known = new Map<string, string>()
  const names = tools.reduce<typeof emptyTrie>((trie, tool) => {
    const key = `${tool.strict === true} ${tool.parametersJson}`
    const body = known.get(key) ?? argumentsRule(rules, json, tool)
    known.set(key, body)
    return trie.with(JSON.stringify(tool.name) + style.beforeArguments, body)
  }, emptyTrie)
  const call = rules.add('call', `${names.body(rules)} ${literal(style.behindArguments)}`)
  const more = repeated(`(${literal(style.between + style.beforeName)} ${call})`, 0, parallel ? mostCalls - 1 : 0)
  const close = style.close === '' ? '' : ` ${literal(style.close)}`
  const calls = rules.add('calls', `${call}${parallel ? ` ${more}` : ''}${close}`)
  const start = style.trigger + style.open + style.beforeName
  return (written) => {
    const rest = start.slice(looseMatch(start, written)?.expected ?? 0)
    return rest === '' ? calls : `${literal(rest)} ${calls}`
  }
}

function argumentsRule(rules: GrammarRules, json: JsonRules, tool: ToolDefinition): string {
  const pointer = tool.pointer ?? '/tools'
  const schema = parseSchema(tool.parametersJson, pointer)
  const strict = tool.strict === true
  if (rules.size > mostRules) {
    if (!strict) return json.object
    const what = `the tools before it need ${rules.size} rules, ${mostRules} allowed`
    throw new IncipitError('unsupported_feature', `${pointer}: ${what}`, { param: pointer })
  }
  const before = rules.mark()
  try {
    return rules.add('arguments', new SchemaRules(rules, schema, { strict, pointer }, json).root())
  } catch (error) {
    if (strict || !IncipitError.is(error)) throw error
    rules.dropSince(before)
    return json.object
  }
}
