import { expect, test } from 'vitest'
import type { Cell } from './cells.ts'
import { cpuFigures, delayFigures, slopeFigures } from './figures.ts'
import type { Reading } from './measure.ts'

const small = aCell({ kilobytes: 20 })
const large = aCell({ kilobytes: 120 })
const slow = aCell({ kind: 'latency', rate: 300 })
const stream = aCell({ kind: 'first byte', answer: 'sse', rate: 60 })

test('ratios are taken round by round, not between medians', () => {
  const readings = [
    ...cpu(small, 'bare', [10, 100, 50]),
    ...cpu(small, 'incipit', [15, 120, 100]), // 1.5, 1.2, 2; the medians alone say 2
  ]
  const [bare, ours] = cpuFigures(readings)
  expect(bare).toMatchObject({ gateway: 'bare', overBare: undefined, bar: undefined })
  expect(ours).toMatchObject({ overBare: { min: 1.2, p50: 1.5, max: 2 }, bar: { most: 1.8, kept: true } })
})

test('the bar above 20 KB is another one, and is missed above it', () => {
  const readings = [...cpu(large, 'bare', [100]), ...cpu(large, 'incipit', [221])]
  expect(cpuFigures(readings)[1]?.bar).toEqual({ most: 2.2, kept: false })
})

test('a gateway without a pid has no CPU figure, and none of zero', () => {
  const readings = [...cpu(small, 'bare', [10]), ...cpu(small, 'other', [undefined])]
  expect(cpuFigures(readings)[1]).toMatchObject({ gateway: 'other', micros: undefined, overBare: undefined })
})

test('the slope is what 100 KB more cost, divided by 100', () => {
  const readings = [...cpu(small, 'incipit', [50, 60]), ...cpu(large, 'incipit', [450, 560])]
  expect(slopeFigures(readings)).toMatchObject([
    { gateway: 'incipit', microsPerKilobyte: { min: 4, max: 5 }, bar: { most: 3, kept: false } },
  ])
  expect(slopeFigures(cpu(small, 'incipit', [50]))).toEqual([])
})

test('latency is compared with none and with bare in the same round', () => {
  const readings = [
    ...delays(slow, 'direct', [1, 2]),
    ...delays(slow, 'bare', [2, 4]),
    ...delays(slow, 'incipit', [2.1, 4.5]),
  ]
  const ours = delayFigures(readings, 'latency')[2]
  expect(ours?.added?.p50).toBeCloseTo((1.1 + 2.5) / 2)
  expect(ours?.overBare?.p50).toBeCloseTo((0.1 + 0.5) / 2)
  expect(ours).toMatchObject({ requests: 6, p99: 4.5, bar: { most: 0.2, kept: false } })
})

test('what is added to the first byte is compared with what bare adds', () => {
  const readings = [
    ...delays(stream, 'direct', [1, 1]),
    ...delays(stream, 'bare', [2, 3]),
    ...delays(stream, 'incipit', [2.5, 4]),
  ]
  expect(delayFigures(readings, 'first byte')[2]).toMatchObject({
    addedRatio: { min: 1.5, max: 1.5 },
    bar: { most: 2, kept: true },
  })
})

function aCell(changes: Partial<Cell>): Cell {
  return {
    kind: 'saturated',
    answer: 'json',
    kilobytes: 20,
    connections: 1,
    rate: undefined,
    seconds: 1,
    warmSeconds: 0,
    ...changes,
  }
}

function cpu(cell: Cell, gateway: string, micros: readonly (number | undefined)[]): Reading[] {
  return micros.map((cpuMicros, round) => ({ ...aReading(cell, gateway, round), cpuMicros }))
}

/** Three requests a round, all alike. */
function delays(cell: Cell, gateway: string, milliseconds: readonly number[]): Reading[] {
  return milliseconds.map((one, round) => {
    const times = [one, one, one]
    return { ...aReading(cell, gateway, round), totalMs: times, firstByteMs: times }
  })
}

function aReading(cell: Cell, gateway: string, round: number): Reading {
  return {
    cell,
    round,
    gateway,
    requests: 1,
    perSecond: 1,
    cpuMicros: undefined,
    gatewayShare: 1,
    loadShare: 0.5,
    coreShares: [1, 0.5],
    totalMs: [],
    firstByteMs: [],
    residentBytes: undefined,
  }
}
