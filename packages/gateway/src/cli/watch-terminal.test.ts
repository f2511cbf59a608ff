import { expect, test } from 'vitest'
import { watchTerminal } from './watch-terminal.ts'

test('a terminal is gone when it was there at the start and is not now', () => {
  let there = true
  const hungUp = watchTerminal(() => there)
  expect(hungUp()).toBe(false)
  there = false
  expect(hungUp()).toBe(true)
})

test('a process that began without a terminal never loses it', () => {
  expect(watchTerminal(() => false)()).toBe(false)
})
