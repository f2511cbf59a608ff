import { expect, test } from 'vitest'
import { isPlainPart } from './plain-part.ts'

test.each(['resp_1', 'resp_1..2', '...a', 'ft:gpt-4o:acme', 'input_items'])('"%s" stays one part', (part) => {
  expect(isPlainPart(part)).toBe(true)
})

test.each(['', '.', '..', '...', 'a/b', '../a', 'a\\b', '..\\a', '/'])('"%s" does not', (part) => {
  expect(isPlainPart(part)).toBe(false)
})
