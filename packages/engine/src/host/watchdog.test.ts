import { expect, test } from 'vitest'
import { longestBatchMs, Watchdog } from './watchdog.ts'

function aDog(): { dog: Watchdog; asked: () => number; hung: () => number; pass: (ms: number) => void } {
  let [now, asked, hung] = [0, 0, 0]
  const dog = new Watchdog({ ask: () => void asked++, hung: () => void hung++ }, 24_000, () => now)
  const pass = (ms: number): void => {
    now += ms
    dog.tick()
  }
  return { dog, asked: () => asked, hung: () => hung, pass }
}

test('a process that says nothing counts as hung after the time allowed, once', () => {
  const { asked, hung, pass } = aDog()
  for (let tick = 0; tick < 24; tick++) pass(1_000)
  expect([asked(), hung()]).toEqual([24, 0])
  pass(1_000)
  expect(hung()).toBe(1)
})

test('any sign of life starts the time anew', () => {
  const { dog, hung, pass } = aDog()
  for (let tick = 0; tick < 200; tick++) {
    if (tick % 20 === 0) dog.heard()
    pass(1_000)
  }
  expect(hung()).toBe(0)
})

test('time in which the watching process did not run itself does not count', () => {
  const { hung, pass } = aDog()
  for (let tick = 0; tick < 100; tick++) pass(60_000)
  expect(hung()).toBe(0)
})

test('a batch may take longer the more tokens it has', () => {
  expect([1, 512].map((tokens) => longestBatchMs(tokens, 120_000))).toEqual([123_000, 1_656_000])
})
