import { expect, test } from 'vitest'
import { scratchBytes } from './scratch-bytes.ts'

const mebibyte = 2 ** 20
/** Two layers of the 135M shape: what layers share is what it works in. Measured beside 6 to 24 MiB of KV. */
const facts = { vocabularySize: 49_152, heads: 9, width: 576 }

test.each([
  [{ cells: 4_096, batchTokens: 512, sequences: 16, flashAttention: false }, 127],
  [{ cells: 4_096, batchTokens: 512, sequences: 256, flashAttention: false }, 172],
  [{ cells: 4_096, batchTokens: 256, sequences: 256, flashAttention: false }, 117],
  [{ cells: 4_096, batchTokens: 128, sequences: 16, flashAttention: false }, 39],
  [{ cells: 8_192, batchTokens: 512, sequences: 16, flashAttention: true }, 27],
])('NF-8 scratch memory is counted as it was measured: %o', (shape, measured) => {
  const planned = scratchBytes(facts, shape) / mebibyte
  expect(planned).toBeGreaterThan(0.9 * measured)
  expect(planned).toBeLessThan(1.5 * measured)
})
