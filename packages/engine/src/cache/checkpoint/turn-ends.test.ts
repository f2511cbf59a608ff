import { expect, test } from 'vitest'
import { turnEnds } from './turn-ends.ts'

const chatml = {
  controlTokens: new Map(Object.entries({ start: 1, end: 2 })),
  endsGeneration: (id: number) => id === 2,
}
const marked = { controlTokens: new Map(Object.entries({ bos: 1, user: 3, model: 4 })), endsGeneration: () => false }

test('D-40 the first turn, which ends tools and system, and the last two', () => {
  const turn = [1, 9, 9, 2]
  expect(turnEnds(Int32Array.of(...turn, ...turn, 1, 9), chatml, 1)).toEqual([4, 8])
  const five = Int32Array.of(...turn, ...turn, ...turn, ...turn, ...turn, 1, 9)
  expect(turnEnds(five, chatml, 1)).toEqual([4, 16, 20])
  expect(turnEnds(five, chatml, 6)).toEqual([8, 16, 20])
})

test('where no token ends a turn, in front of the tokens that begin one', () => {
  expect(turnEnds(Int32Array.of(1, 9, 9, 3, 9, 4, 9), marked, 1)).toEqual([3, 5])
})

test('without turns two tokens in front of the end, which are always evaluated; nothing where that is too short', () => {
  expect(turnEnds(Int32Array.of(9, 9, 9, 9, 9), chatml, 1)).toEqual([3])
  expect(turnEnds(Int32Array.of(9, 9, 9, 9, 2), chatml, 1)).toEqual([3])
  expect(turnEnds(Int32Array.of(9, 9, 9, 9, 9), chatml, 4)).toEqual([])
  expect(turnEnds(Int32Array.of(9, 9, 9), chatml, 0)).toEqual([])
})

test('D-55 no place is one token behind another, or in front of the end: a lone token gives other bits', () => {
  expect(turnEnds(Int32Array.of(1, 9, 2, 2, 2, 9, 9), chatml, 1)).toEqual([3, 5])
  expect(turnEnds(Int32Array.of(2, 9, 9, 9, 2, 9), chatml, 1)).toEqual([4])
})
