import type { EpochMs } from '@incipit/core'
import { epochMs } from '@incipit/core'
import { expect, test } from 'vitest'
import { windowOf } from './time-window.ts'

const at = (ms: number): EpochMs => epochMs(ms)
const summary = (since: number, until: number): Parameters<typeof windowOf>[0] => ({
  rows: [],
  truncated: false,
  since: at(since),
  until: at(until),
})

test('M-1 the end of a summary is now where it is open or yet to come', () => {
  expect(windowOf(summary(10, 20), {}, at(50))).toEqual({ since: 10, until: 50 })
  expect(windowOf(summary(10, 90), { until: at(90) }, at(50))).toEqual({ since: 10, until: 50 })
  expect(windowOf(summary(60, 90), { since: at(60), until: at(90) }, at(50))).toEqual({ since: 60, until: 60 })
})

test('M-1 a ledger without rows has no first one, and is not taken to begin in 1970', () => {
  expect(windowOf(summary(0, 0), {}, at(50))).toEqual({ since: 50, until: 50 })
  expect(windowOf(summary(0, 1), {}, at(50))).toEqual({ since: 0, until: 50 })
  expect(windowOf(summary(0, 0), { since: at(0) }, at(50))).toEqual({ since: 0, until: 50 })
})
