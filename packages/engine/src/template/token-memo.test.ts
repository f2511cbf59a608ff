import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
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

test('what is held of a prompt is its pieces, not all of it', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const memo = new TokenMemo(2 ** 20)
  collect()
  const before = process.memoryUsage().heapUsed
  for (let prompt = 0; prompt < 200; prompt++) {
    const rendered = Buffer.alloc(2 ** 20, `prompt ${prompt} `).toString()
    memo.get(rendered.slice(1_000, 1_100), one)
  }
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50 * 2 ** 20)
  expect(memo.bytes).toBe(200 * 204)
})
