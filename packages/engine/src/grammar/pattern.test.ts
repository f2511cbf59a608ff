import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { GrammarRules } from './gbnf.ts'
import { lengthsOf, parsePattern } from './pattern.ts'
import { patternBody } from './pattern-rules.ts'

let model: Model
const directory = temporaryDirectory()
beforeAll(() => {
  model = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
})
afterAll(() => model.close())

function grammarOf(source: string): string {
  const rules = new GrammarRules()
  return rules.text(`"\\"" ${patternBody(rules, parsePattern(source))} "\\""`)
}

/** Whether a grammar takes a text as JSON writes it. */
function takes(source: string, text: string): boolean {
  const grammar = model.createGrammar(source)
  try {
    for (const token of model.tokenize(JSON.stringify(text), { special: false })) {
      if (!grammar.allows(token)) return false
      grammar.accept(token)
    }
    return grammar.allows(model.facts.eosToken)
  } finally {
    grammar.close()
  }
}

const sources = [
  'abc',
  '^abc',
  'abc$',
  '^abc$',
  '^a|b$',
  '^(a|b)$',
  'a|',
  '^$',
  '',
  '^(?:)$',
  'a.c',
  '^.{2}$',
  '^[A-Z]{2}-\\d{2,4}$',
  '^[^a-c]$',
  '^[a\\-c]+$',
  '^[\\w.]+@[\\w.]+$',
  '^\\S+\\s\\S*$',
  '^a??b*?c+?$',
  '^(?<x>ab){2,3}$',
  '^((a|b)c){1,2}d?$',
  '^"\\\\"$',
  '^[\\t\\n"\\\\/]$',
  '^\\u0041\\x42\\u{43}$',
  '^[👍-👐]$',
  '^é*$',
  '^\\D\\W$',
  '^[\\d\\s]{0,2}$',
  '^a{3}$',
  '^a{0}b$',
  '^(a?b?){0,3}$',
  '^\\/\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\^\\$$',
]
const characters = fc.constantFrom(...'aabbccABC09-_.@ "\\\n\t/*+?()[]{}|^$é👍'.match(/./gsu)!)
const texts = fc.array(characters, { maxLength: 6 }).map((all) => all.join(''))

describe('a regular expression as a grammar', () => {
  test.each(sources)('takes what %j matches, and nothing else', (source) => {
    const grammar = grammarOf(source)
    const expression = new RegExp(source, 'u')
    const { least, most } = lengthsOf(parsePattern(source))
    const check = (text: string): void => {
      expect([text, takes(grammar, text)]).toEqual([text, expression.test(text)])
      const { length } = Array.from(text)
      expect([text, !expression.test(text) || (length >= least && length <= most)]).toEqual([text, true])
    }
    for (const text of ['', 'abc', 'a', 'b', 'ABC', 'AB-12', '"\\"', 'abab', 'acbcd', 'ac', '👍', '/.*+?()[]{}|^$'])
      check(text)
    fc.assert(fc.property(texts, check), { numRuns: 60 })
    // Fast-check cannot read expressions without a token.
    if (!/[^^$(?:)]/.test(source)) return
    fc.assert(
      fc.property(
        fc.stringMatching(expression).filter((text) => !/\p{Surrogate}/u.test(text)),
        check,
      ),
      { numRuns: 20 },
    )
  })

  test.each([
    ['(?=a)', 'looks around'],
    ['(?<!a)b', 'looks around'],
    ['(?i:a)', 'changes its mode'],
    ['(a)\\1', '"\\1" cannot be kept to'],
    ['\\bword', '"\\b" cannot be kept to'],
    ['\\p{L}+', '"\\p" cannot be kept to'],
    ['(a*)*', 'may be empty is repeated without bound'],
    ['(a?){17}', 'repeated 17 times, 16 allowed'],
    ['a{1001}', 'repeated 1001 times, 1000 allowed'],
    ['(a{1000}){6}', 'characters with repetitions written out, 2000 allowed'],
    ['a{2,1}', 'ends before it begins'],
    ['[z-a]', 'ends before it begins'],
    ['[]', 'a class has no characters'],
    ['(a', 'a group is not closed'],
    ['a)', 'closes no group'],
    ['*a', 'nothing that "*" could repeat'],
    ['a**', 'a repetition is repeated'],
    ['a^b', '"^" stands behind the beginning'],
    ['(a$)b', '"$" stands before the end'],
    ['a$b', '"$" is followed by "b"'],
    ['[a', 'it ends too early'],
    ['\\u{110000}', 'names no character'],
    ['\\ud800', 'half a character'],
    ['('.repeat(40) + ')'.repeat(40), 'groups nest deeper than 32'],
    ['a'.repeat(2_001), 'it has 2001 characters, 2000 allowed'],
  ])('%j is refused: %s', (source, why) => {
    expect(() => grammarOf(source)).toThrow(why)
  })
})
