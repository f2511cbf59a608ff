import { expect, test } from 'vitest'
import { ControlQuery } from './control-query.ts'

const asked = (text: string): ControlQuery =>
  new ControlQuery(new URLSearchParams(text), ['limit', 'model', 'org', 'key'])

test('gives what was asked for, decoded', () => {
  const query = asked('model=%40cf%2Fa%20b&limit=7')
  expect(query.find('model')).toBe('@cf/a b')
  expect(query.find('org')).toBeUndefined()
  expect(query.wholeNumber('limit', { least: 1, most: 10, otherwise: 5 })).toBe(7)
  expect(asked('').wholeNumber('limit', { least: 1, most: 10, otherwise: 5 })).toBe(5)
})

test.each([
  ['colour=red', 'there is no parameter "colour"; known: limit, model, org, key'],
  ['model=a&org=b&model=a', 'model is given 2 times, once is allowed'],
  ['org=', 'org is empty'],
  ['model=%00', 'model holds a NUL character'],
])('%s: %s', (text, message) => {
  expect(() => asked(text)).toThrow(message)
})

test('a repeated parameter is not quoted: it may be a key', () => {
  expect(() => asked('key=secret-1&key=secret-2')).toThrow(/^(?!.*secret)/)
})

test('very many parameters are refused before they are read', () => {
  expect(() => asked('a=1&'.repeat(101))).toThrow('there are 101 parameters, 100 allowed')
})

test.each(['0', '11', '-1', '1.5', '1e1', '0x5', ' 5', '99999999999999999999'])(
  'limit=%s names what is allowed',
  (text) => {
    const query = asked(`limit=${encodeURIComponent(text)}`)
    expect(() => query.wholeNumber('limit', { least: 1, most: 10, otherwise: 5 })).toThrow(
      `limit is "${text}", allowed are 1 to 10`,
    )
  },
)

test('a word that is none of the allowed names them', () => {
  expect(asked('model=warm').choice('model', ['warm', 'cold'])).toBe('warm')
  expect(asked('').choice('model', ['warm', 'cold'])).toBeUndefined()
  expect(() => asked(`model=${'x'.repeat(90)}`).choice('model', ['warm', 'cold'])).toThrow(
    `model is "${'x'.repeat(40)}...", allowed are warm, cold`,
  )
})
