import { expect, test } from 'vitest'
import type { Cell } from './cells.ts'
import type { Reading } from './measure.ts'
import { reportOf } from './report.ts'

test('a busy gateway on a quiet machine is no reason to warn', () => {
  expect(warnings({ gatewayShare: 0.97, loadShare: 0.5, coreShares: [0.98, 0.55] })).toEqual([])
})

test('a load that is full while the gateway waits is named as the bottleneck', () => {
  const [warning, ...others] = warnings({ gatewayShare: 0.6, loadShare: 0.97, coreShares: [0.6, 0.98] })
  expect(warning).toContain(
    'saturated, json, 20 KB: the gateway used 60 % of its core, load and mock were the bottleneck',
  )
  expect(others).toEqual([])
})

test('time that other processes took is counted once, for all readings', () => {
  const [warning, ...others] = warnings({ gatewayShare: 0.6, loadShare: 0.5, coreShares: [1, 1] })
  expect(warning).toContain('other processes used more than 20 % of a core in 1 of 1 readings')
  expect(others).toEqual([])
})

function warnings(shares: Pick<Reading, 'gatewayShare' | 'loadShare' | 'coreShares'>): readonly string[] {
  const cell: Cell = {
    kind: 'saturated',
    answer: 'json',
    kilobytes: 20,
    connections: 1,
    rate: undefined,
    seconds: 1,
    warmSeconds: 0,
  }
  const reading: Reading = {
    cell,
    round: 0,
    gateway: 'bare',
    requests: 1,
    perSecond: 1,
    cpuMicros: 1,
    totalMs: [1],
    firstByteMs: [1],
    residentBytes: 1,
    ...shares,
  }
  return reportOf([reading], [], []).warnings
}
