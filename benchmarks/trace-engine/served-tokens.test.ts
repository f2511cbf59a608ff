import { expect, test } from 'vitest'
import { servedTokens } from './served-tokens.ts'

test('whole blocks count, as tokens of the trace, and never more than a request has', () => {
  const counts = { opening: 64, inputTokens: 2_000, traceBlock: 512 }
  expect(servedTokens({ ...counts, cached: 0 })).toBe(0)
  expect(servedTokens({ ...counts, cached: 64 })).toBe(0)
  expect(servedTokens({ ...counts, cached: 64 + 127 })).toBe(512)
  expect(servedTokens({ ...counts, cached: 64 + 4 * 64 })).toBe(2_000)
})
