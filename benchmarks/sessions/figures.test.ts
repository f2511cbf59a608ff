import { expect, test } from 'vitest'
import type { StreamedAnswer } from '../support/streamed-chat.ts'
import { ttftMs } from '../support/streamed-chat.ts'
import { tokensPerSecond, wallMs } from './bench.ts'
import { timesEvaluated } from './times-evaluated.ts'

function anAnswer(more: Partial<StreamedAnswer>): StreamedAnswer {
  return { sentAt: 0, firstAt: 100, endedAt: 1_100, promptTokens: 500, cachedTokens: 0, outputTokens: 101, ...more }
}

test('throughput is of all sessions over the time of all, not a sum of their own rates', () => {
  const one = anAnswer({})
  expect(tokensPerSecond([one])).toBe(100)
  // One behind the other they are as fast together as each alone.
  const behind = anAnswer({ firstAt: 1_100, endedAt: 2_100 })
  expect(wallMs([one, behind])).toBe(2_000)
  expect(tokensPerSecond([one, behind])).toBe(100)
  expect(tokensPerSecond([one, one])).toBe(200)
  expect(ttftMs(behind)).toBe(1_100)
})

test('a prefix that was evaluated once, twice, and by all', () => {
  const counts = { prefix: 1_000, ends: 320 }
  expect(timesEvaluated({ ...counts, all: 1_320 })).toBe(1)
  expect(timesEvaluated({ ...counts, all: 2_320 })).toBe(2)
  expect(timesEvaluated({ ...counts, all: 32_320 })).toBe(32)
  expect(() => timesEvaluated({ prefix: 0, ends: 0, all: 0 })).toThrow('at least 1 needed')
})
