import { expect, test } from 'vitest'
import { RestartGate } from './restart-gate.ts'

function aGate(): { gate: RestartGate; pass: (ms: number) => void } {
  let now = 0
  const gate = new RestartGate(() => now)
  return { gate, pass: (ms) => void (now += ms) }
}

test('who comes behind the first end waits; once a start has failed all are refused at once, until one works', async () => {
  const { gate } = aGate()
  gate.opened()
  await gate.pass(60_000)
  expect(gate.ended('it crashed')).toBe(50)
  const waiting = gate.pass(60_000)
  expect(gate.ended('it crashed again')).toBe(500)
  const refusal = { code: 'engine_restarting', retryAfterSeconds: 1, message: expect.stringContaining('crashed again') }
  await expect(waiting).rejects.toMatchObject(refusal)
  await expect(gate.pass(60_000)).rejects.toMatchObject(refusal)
  gate.opened()
  await gate.pass(60_000)
  gate.ended('once more')
  const again = gate.pass(60_000)
  gate.opened()
  await again
})

test('a process that keeps ending is started ever later, one that lived long at once again', () => {
  const { gate, pass } = aGate()
  const delays = Array.from({ length: 8 }, () => gate.ended('x'))
  expect(delays).toEqual([50, 500, 2_000, 5_000, 10_000, 10_000, 10_000, 10_000])
  expect(gate.retryAfterSeconds).toBe(10)
  gate.opened()
  pass(1_000)
  expect(gate.ended('x')).toBe(10_000)
  gate.opened()
  pass(31_000)
  expect(gate.ended('x')).toBe(50)
})

test('closing lets nobody pass, and a client that goes away waits no longer', async () => {
  const { gate } = aGate()
  const leaving = new AbortController()
  const left = gate.pass(60_000, leaving.signal)
  leaving.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  const waiting = gate.pass(60_000)
  gate.close()
  await expect(waiting).rejects.toMatchObject({ code: 'shutting_down' })
  await expect(gate.pass(60_000)).rejects.toMatchObject({ code: 'shutting_down' })
})
