import { expect, test } from 'vitest'
import { ThreadGovernor } from './thread-governor.ts'

test('with a core for each, all threads are used', () => {
  const governor = new ThreadGovernor(2)
  for (let now = 0; now < 1_000; now += 100) {
    governor.note({ elapsedMs: 100, cpuMs: 195, threads: 2 }, now)
    expect(governor.threads(now)).toBe(2)
  }
})

test('a core that somebody else uses is left alone, then tried again, ever more rarely', () => {
  const governor = new ThreadGovernor(2)
  governor.note({ elapsedMs: 100, cpuMs: 110, threads: 2 }, 0)
  expect(governor.threads(0)).toBe(1)
  expect(governor.threads(999)).toBe(1)
  expect(governor.threads(1_000)).toBe(2)
  governor.note({ elapsedMs: 100, cpuMs: 110, threads: 2 }, 1_000)
  expect(governor.threads(2_999)).toBe(1)
  expect(governor.threads(3_000)).toBe(2)
  governor.note({ elapsedMs: 100, cpuMs: 190, threads: 2 }, 3_000)
  governor.note({ elapsedMs: 100, cpuMs: 110, threads: 2 }, 3_100)
  expect(governor.threads(4_100)).toBe(2)
})

test('never below one thread, and a short batch says nothing', () => {
  const governor = new ThreadGovernor(2)
  governor.note({ elapsedMs: 2, cpuMs: 0, threads: 2 }, 0)
  expect(governor.threads(0)).toBe(2)
  governor.note({ elapsedMs: 100, cpuMs: 10, threads: 2 }, 0)
  governor.note({ elapsedMs: 100, cpuMs: 10, threads: 2 }, 1)
  expect(governor.threads(2)).toBe(1)
  expect(new ThreadGovernor(1).threads(0)).toBe(1)
})

test('a batch on fewer threads than allowed says nothing about the others', () => {
  const governor = new ThreadGovernor(2)
  governor.note({ elapsedMs: 100, cpuMs: 100, threads: 1 }, 0)
  expect(governor.threads(0)).toBe(2)
})
