import { expect, test } from 'vitest'
import { memoryFigure } from './memory.ts'

function samplesOf(engine: readonly number[]): Parameters<typeof memoryFigure>[0] {
  return engine.map((bytes, index) => ({ requests: index + 1, engine: bytes, gateway: 7 }))
}

test('growth is the last quarter over the second; what fills in the first does not count', () => {
  const flat = memoryFigure(samplesOf([1, 50, 100, 100, 90, 130, 100, 100]), 'engine', 8)
  expect(flat).toEqual({ most: 130, secondQuarter: 100, lastQuarter: 100, growth: 1 })
  const growing = memoryFigure(samplesOf([1, 2, 10, 20, 30, 40, 44, 46]), 'engine', 8)
  expect(growing).toEqual({ most: 46, secondQuarter: 15, lastQuarter: 45, growth: 3 })
  expect(memoryFigure(samplesOf([1, 2, 3, 4]), 'gateway', 4).growth).toBe(1)
})

test('a quarter without samples is no figure', () => {
  expect(() => memoryFigure(samplesOf([1, 2]), 'engine', 8)).toThrow('no values')
})
