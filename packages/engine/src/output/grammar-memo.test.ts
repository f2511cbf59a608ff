import { expect, test } from 'vitest'
import { GrammarMemo } from './grammar-memo.ts'

test('a grammar is made once for the same parts, and the least recently used goes when there is no room', () => {
  const memo = new GrammarMemo<string>(10)
  const made: string[] = []
  const get = (...parts: string[]): string =>
    memo.get(parts, () => {
      made.push(parts.join('+'))
      return { value: parts.join('+'), bytes: 4 }
    })
  expect([get('a', 'b'), get('ab', ''), get('a', 'b'), get('c'), get('a', 'b')]).toEqual('a+b ab+ a+b c a+b'.split(' '))
  expect(made).toEqual(['a+b', 'ab+', 'c'])
  get('ab', '')
  expect([made.at(-1), memo.size]).toEqual(['ab+', 2])
  expect(memo.get(['huge'], () => ({ value: 'huge', bytes: 11 }))).toBe('huge')
  expect(memo.size).toBe(2)
})
