import { characterIn, plainCharacters } from './character-set.ts'
import type { GrammarRules } from './gbnf.ts'

/** Names of the rules for JSON of any form. */
export interface JsonRules {
  readonly value: string
  readonly object: string
  readonly array: string
  readonly string: string
  readonly character: string
  readonly number: string
  readonly integer: string
  readonly boolean: string
  readonly space: string
}

/** What an escape by number may name: no halves of characters, so that characters are counted as schemas count them. */
const number = '([0-9a-cA-CefEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2})'

/**
 * Adds rules for JSON (RFC 8259) with at most one space where it allows any: a model that cannot decide would write
 * spaces for ever.
 */
export function addJsonRules(rules: GrammarRules): JsonRules {
  const space = rules.add('space', '" "?')
  const character = rules.add(
    'character',
    String.raw`${characterIn(plainCharacters)} | "\\" (["\\/bfnrt] | "u" ${number})`,
  )
  const string = rules.add('string', String.raw`"\"" character* "\""`)
  const integer = rules.add('integer', '"-"? ("0" | [1-9] [0-9]{0,14})')
  const numbers = rules.add('number', 'integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?')
  const boolean = rules.add('boolean', '"true" | "false"')
  const value = rules.reserve('value')
  rules.add('member', 'string ":" space value')
  const object = rules.add('object', '"{" (member ("," space member)*)? "}"')
  const array = rules.add('array', '"[" (value ("," space value)*)? "]"')
  rules.set(value, 'object | array | string | number | boolean | "null"')
  return { value, object, array, string, character, number: numbers, integer, boolean, space }
}
