import { assert, constantFrom, dictionary, property, string, stringMatching } from 'fast-check'
import { expect, test } from 'vitest'
import { hashOf, readPlace, views } from './address.ts'

test('an address without anything is the overview', () => {
  for (const hash of ['', '#', '#/', '#/nonsense']) expect(readPlace(hash)).toEqual({ view: 'overview', settings: {} })
})

test('every setting survives the address, whatever it holds', () => {
  const settings = dictionary(stringMatching(/^[a-z]{1,8}$/), string({ unit: 'grapheme', minLength: 1 }))
  assert(
    property(constantFrom(...views), settings, (view, given) => {
      expect(readPlace(hashOf({ view, settings: given }))).toEqual({ view, settings: { ...given } })
    }),
  )
})

test('equal places have equal addresses', () => {
  expect(hashOf({ view: 'events', settings: { b: '2', a: '1' } })).toBe('#/events?a=1&b=2')
  expect(hashOf({ view: 'events', settings: { a: '1', b: '2' } })).toBe('#/events?a=1&b=2')
})
