import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { GrammarRules } from './gbnf.ts'
import { emptyTrie } from './literal-trie.ts'

/** The texts that rules of literals and alternatives stand for. */
function expand(body: string, rules: ReadonlyMap<string, string>): string[] {
  const tokens = body.match(/"(?:[^"\\]|\\.)*"|[()|]|[\w-]+/g) ?? []
  let at = 0
  const choice = (): string[] => {
    const all = sequence()
    while (tokens[at] === '|') {
      at++
      all.push(...sequence())
    }
    return all
  }
  const sequence = (): string[] => {
    let texts = ['']
    while (at < tokens.length && tokens[at] !== '|' && tokens[at] !== ')') {
      const token = tokens[at++] ?? ''
      let next = [token.startsWith('"') ? (JSON.parse(token) as string) : '']
      if (token === '(') {
        next = choice()
        at++
      } else if (!token.startsWith('"')) next = expand(rules.get(token) ?? '', rules)
      texts = texts.flatMap((text) => next.map((more) => text + more))
    }
    return texts
  }
  return choice()
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'ab', '"', '\\', '👍', '👎', '\n'), maxLength: 5 })

test('a trie stands for exactly the literals in it, and those before it stay as they were', () => {
  fc.assert(
    fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 12 }), (words) => {
      const rules = new GrammarRules()
      const tries = words.reduce((all, text) => [...all, (all.at(-1) ?? emptyTrie).with(text, '')], [emptyTrie])
      const bodies = tries.slice(1).map((trie) => trie.body(rules))
      const known = new Map(
        rules
          .lines()
          .split('\n')
          .map((line) => line.split(' ::= ') as [string, string]),
      )
      for (const [index, body] of bodies.entries())
        expect(expand(body, known).toSorted()).toEqual(words.slice(0, index + 1).toSorted())
    }),
  )
})

test('alternatives are as many as characters that may come, not as literals', () => {
  const rules = new GrammarRules()
  const names = Array.from({ length: 1_000 }, (_, index) => `"tool_${index}"`)
  const body = names.reduce((trie, name) => trie.with(name, 'x'), emptyTrie).body(rules)
  expect(body).toMatch(/^"\\"tool_" literals/)
  const widest = Math.max(
    ...rules
      .lines()
      .split('\n')
      .map((line) => line.split(' | ').length),
  )
  expect(widest).toBeLessThanOrEqual(11)
})
