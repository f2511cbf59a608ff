import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { IncipitError } from '../domain/errors.ts'
import type { JsonDocument, JsonNode } from './json-document.ts'
import { scanJson } from './scan-json.ts'
import { jsonText } from './testing/json-text.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function errorOf(bytes: Uint8Array, maxDepth = 128): IncipitError {
  try {
    scanJson(bytes, { maxDepth })
  } catch (error) {
    if (IncipitError.is(error)) return error
    throw error
  }
  throw new Error('was accepted')
}

/** Rebuilds a value from nothing but navigation; last of equal names wins. */
function rebuild(document: JsonDocument, node: JsonNode): unknown {
  const kind = document.kind(node)
  if (kind === 'array') return document.elements(node).map((element) => rebuild(document, element))
  if (kind !== 'object') return kind === 'string' ? document.string(node) : document.value(node)
  const pairs = document.members(node).map(({ key, value }) => [document.string(key), rebuild(document, value)])
  return Object.fromEntries(pairs) as unknown
}

test('spans of any JSON text re-parse to what JSON.parse gives', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      const document = scanJson(encode(text))
      expect(rebuild(document, 0)).toEqual(JSON.parse(text))
      expect(document.value(0)).toEqual(JSON.parse(text))
    }),
    { numRuns: 500 },
  )
})

const soup = fc.array(
  fc.constantFrom(
    ...'{}[]:,"\\eE+-.0123ntuabf /é\n\t\u0000\uFEFF'.split(''),
    'true',
    'false',
    'null',
    '"a":1',
    '"x"',
    '\\u00e9',
  ),
  { maxLength: 12 },
)

test('accepts and rejects bytes exactly as a strict UTF-8 decoder with JSON.parse does', () => {
  const bytes = fc.oneof(
    soup.map((parts) => encode(parts.join(''))),
    fc.uint8Array({ maxLength: 12 }),
    fc.uint8Array({ maxLength: 8 }).map((inner) => Uint8Array.from([0x22, ...inner, 0x22])),
    fc.tuple(jsonText, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
      const broken = encode(text)
      broken[at % broken.length] = byte
      return broken
    }),
  )
  fc.assert(
    fc.property(bytes, (bytes) => {
      expect(accepts(() => scanJson(bytes))).toBe(accepts(() => parseStrictly(bytes)))
    }),
    { numRuns: 20_000 },
  )
})

function parseStrictly(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
}

function accepts(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch (error) {
    if (IncipitError.is(error) || error instanceof SyntaxError || error instanceof TypeError) return false
    throw error
  }
}

test.each([
  ['', 0, 'expected a JSON value at byte 0 (line 1, column 1), found the end of the body'],
  ['{"a":1,}', 7, 'expected a quoted member name at byte 7 (line 1, column 8), found }'],
  ['[1,]', 3, 'expected a JSON value at byte 3 (line 1, column 4), found ]'],
  ['{"a"\n 1}', 6, 'expected : after a member name at byte 6 (line 2, column 2), found byte 0x31'],
  ['{"é":01}', 7, 'expected , or } at byte 7 (line 1, column 7), found byte 0x31'],
  ['[1}', 2, 'expected , or ] at byte 2 (line 1, column 3), found }'],
  ['{} {}', 3, 'expected the end of the body at byte 3 (line 1, column 4), found {'],
  ['"abc', 4, 'expected the closing quote of a string at byte 4 (line 1, column 5), found the end of the body'],
  ['"\\x"', 2, 'expected one of "\\/bfnrtu after a backslash at byte 2 (line 1, column 3), found byte 0x78'],
  ['"\\u12', 5, 'expected four hex digits after \\u at byte 5 (line 1, column 6), found the end of the body'],
  ['nul', 3, 'expected the literal null at byte 3 (line 1, column 4), found the end of the body'],
  ['-', 1, 'expected a digit at byte 1 (line 1, column 2), found the end of the body'],
  ['\uFEFF{}', 0, 'expected a JSON value at byte 0 (line 1, column 1), found a byte order mark'],
])('says where and why %j is no JSON', (text, position, message) => {
  const error = errorOf(encode(text))
  expect(error.message).toBe(message)
  expect(error).toMatchObject({ code: 'invalid_json', status: 400, position })
})

test.each([
  ['a stray continuation byte', [0x22, 0x80, 0x22], 1],
  ['an overlong form', [0x22, 0xc0, 0xaf, 0x22], 1],
  ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22], 1],
  ['a code point above U+10FFFF', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1],
  ['a cut sequence', [0x22, 0xe2, 0x82, 0x22], 1],
  ['a bad byte outside of strings', [0x20, 0xff], 1],
])('names the byte of %s', (_, bytes, position) => {
  expect(errorOf(Uint8Array.from(bytes))).toMatchObject({ code: 'invalid_utf8', status: 400, position })
})

test('nesting beyond the limit is an error with both numbers, at any depth', () => {
  expect(scanJson(encode('['.repeat(128) + ']'.repeat(128))).end(0)).toBe(256)
  const error = errorOf(encode('['.repeat(129) + ']'.repeat(129)))
  expect(error).toMatchObject({ code: 'too_deep', position: 128 })
  expect(error.message).toContain('nests 129 levels')
  expect(error.message).toContain('128 allowed')
  expect(errorOf(encode('{"a":'.repeat(1_000_000)), 3).code).toBe('too_deep')
})

test('finds values by name and by pointer, the last of equal names', () => {
  const document = scanJson(encode(' {"a":1,"b~/c":[10,{"":[]}],"\\u0061":{"x":"y"},"é":true} '))
  expect(document.raw(document.at('/b~0~1c/1') ?? -1)).toBe('{"":[]}')
  expect(document.value(document.at('/a') ?? -1)).toEqual({ x: 'y' })
  expect(document.string(document.at('/a/x') ?? -1)).toBe('y')
  expect(document.value(document.at('/é') ?? -1)).toBe(true)
  expect(document.at('')).toBe(0)
  for (const missing of ['/b~0~1c/2', '/b~0~1c/01', '/b~0~1c/-1', '/c', '/a/x/0', 'a']) {
    expect(document.at(missing)).toBeUndefined()
  }
})

test('names are found however they are written, and asked for several at once', () => {
  const document = scanJson(encode('{"a":1,"\\u0062c":2,"d\\u0065":3,"é":4,"\\u00e8":5,"":6,"list":["x"]}'))
  const found = ['a', 'bc', 'de', 'é', 'è', '', 'b', 'd', 'x'].map((name) => document.find(0, name))
  expect(found.map((node) => node && document.value(node))).toEqual([1, 2, 3, 4, 5, 6, undefined, undefined, undefined])
  for (const name of ['a', 'bc', 'de', 'é', 'è', '']) expect(document.hasAny(0, ['x', name])).toBe(true)
  expect(document.hasAny(0, ['x', 'A', 'b', 'aa'])).toBe(false)
  expect(document.hasAny(0, [])).toBe(false)
  expect(document.hasAny(document.find(0, 'list') ?? -1, ['x'])).toBe(false)
})

test('a tape longer than its first guess grows', () => {
  const text = JSON.stringify(Array.from({ length: 5_000 }, (_, index) => index))
  const document = scanJson(encode(text))
  expect(document.elements(0)).toHaveLength(5_000)
  expect(document.value(0)).toEqual(JSON.parse(text))
})

test('decoding every string of a large body stays linear in its length', () => {
  const words = Array.from({ length: 60_000 }, (_, index) => `a plain string without escapes, number ${index}`)
  const document = scanJson(encode(JSON.stringify(words)))
  const started = performance.now()
  expect(document.elements(0).map((node) => document.string(node))).toEqual(words)
  // Some 20 ms when linear; a search to the end of the body for each string takes 20 seconds.
  expect(performance.now() - started).toBeLessThan(30_000)
})
