import { milliseconds } from '@incipit/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Circuit } from './circuit.ts'

const limits = { failures: 5, firstMs: 2_000, longestMs: 60_000 }
const ms = milliseconds

test('it opens at the fifth failure in a row, lets one request try after its time, and closes with a success', () => {
  const circuit = new Circuit(limits)
  for (let i = 0; i < 4; i++) circuit.failed(ms(i))
  expect(circuit.allows(ms(4))).toBe(true)
  circuit.failed(ms(4))
  expect([circuit.isOpen(ms(5)), circuit.allows(ms(5)), circuit.waitMs(ms(5))]).toEqual([true, false, 1_999])
  expect([circuit.isOpen(ms(2_004)), circuit.allows(ms(2_004))]).toEqual([false, true])
  // Others wait for what becomes of the one that tries.
  expect(circuit.allows(ms(2_005))).toBe(false)
  circuit.succeeded()
  expect([circuit.allows(ms(2_006)), circuit.allows(ms(2_006)), circuit.waitMs(ms(2_006))]).toEqual([true, true, 0])
})

test('a success in between begins the count anew', () => {
  const circuit = new Circuit(limits)
  for (let i = 0; i < 4; i++) circuit.failed(ms(i))
  circuit.succeeded()
  for (let i = 0; i < 4; i++) circuit.failed(ms(i))
  expect(circuit.allows(ms(5))).toBe(true)
})

test('each try that fails doubles its time, up to a minute', () => {
  const circuit = new Circuit(limits)
  let now = 0
  for (let i = 0; i < 5; i++) circuit.failed(ms(now))
  const waits: number[] = []
  for (let i = 0; i < 8; i++) {
    const wait = circuit.waitMs(ms(now))
    waits.push(wait)
    now += wait
    expect(circuit.allows(ms(now))).toBe(true)
    circuit.failed(ms(now))
  }
  expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
})

test('fifty requests that fail at once open it as long as five: a restart is not a long outage', () => {
  const circuit = new Circuit(limits)
  for (let i = 0; i < 50; i++) circuit.failed(ms(10))
  expect(circuit.waitMs(ms(10))).toBe(2_000)
  expect(circuit.allows(ms(2_010))).toBe(true)
})

test('who tries and never comes back does not block the replica', () => {
  const circuit = new Circuit(limits)
  for (let i = 0; i < 5; i++) circuit.failed(ms(0))
  expect(circuit.allows(ms(2_000))).toBe(true)
  expect(circuit.allows(ms(3_999))).toBe(false)
  expect(circuit.allows(ms(4_000))).toBe(true)
})

test('a pause that the replica asked for is kept, up to a minute', () => {
  const circuit = new Circuit(limits)
  circuit.pause(ms(0), 3_000)
  expect([circuit.allows(ms(2_999)), circuit.allows(ms(3_000))]).toEqual([false, true])
  circuit.succeeded()
  circuit.pause(ms(0), 3_600_000)
  expect(circuit.waitMs(ms(0))).toBe(60_000)
})

test('whatever happens, it is never closed for longer than a minute without a try', () => {
  const step = fc.record({
    after: fc.nat(5_000),
    what: fc.constantFrom<'failed' | 'succeeded' | 'pause' | 'allows'>('failed', 'succeeded', 'pause', 'allows'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const circuit = new Circuit(limits)
      let now = 0
      for (const { after, what } of steps) {
        now += after
        if (what === 'succeeded') circuit.succeeded()
        else if (what === 'pause') circuit.pause(ms(now), after * 100)
        else circuit[what](ms(now))
        expect(circuit.waitMs(ms(now))).toBeLessThanOrEqual(60_000)
        // Looking is not trying.
        const before = circuit.waitMs(ms(now))
        circuit.isOpen(ms(now))
        expect(circuit.waitMs(ms(now))).toBe(before)
      }
      expect(circuit.allows(ms(now + 62_000))).toBe(true)
    }),
    { numRuns: 200 },
  )
})
