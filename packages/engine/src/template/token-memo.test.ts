import { expect, test } from 'vitest'
import { TokenMemo } from './token-memo.ts'

const one = (): Int32Array => Int32Array.of(1)
const never = (): Int32Array => {
  throw new Error('tokenised again')
}

test('the least recently used text goes first', () => {
  // Each entry takes 2 bytes for its character and 4 for its token.
  const memo = new TokenMemo(18)
  for (const text of ['a', 'b', 'c']) memo.get(text, one)
  memo.get('a', never)
  memo.get('d', one)
  expect(memo.bytes).toBe(18)
  for (const text of ['c', 'a', 'd']) memo.get(text, never)
  expect(() => memo.get('b', never)).toThrow('tokenised again')
})

test('a text larger than the memo is answered and not held', () => {
  const memo = new TokenMemo(10)
  expect([...memo.get('a long text', one)]).toEqual([1])
  expect(memo.bytes).toBe(0)
})
