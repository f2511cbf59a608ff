import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { textLines } from './text-lines.ts'

async function* chunksOf(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0
  for (const cut of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)) {
    yield bytes.subarray(from, cut)
    from = cut
  }
}

test('lines are the same wherever the bytes are cut', async () => {
  const text = fc.array(
    fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll('\n', '')),
    { maxLength: 5 },
  )
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(), { maxLength: 5 }), async (lines, cuts) => {
      const joined = lines.join('\n')
      const found: string[] = []
      for await (const line of textLines(chunksOf(new TextEncoder().encode(joined), cuts))) found.push(line)
      const expected = joined.replace(/^\uFEFF/, '').split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(found).toEqual(expected)
    }),
  )
})
