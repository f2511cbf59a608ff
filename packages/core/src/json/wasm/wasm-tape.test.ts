import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { IncipitError } from '../../domain/errors.ts'
import { scanJson } from '../scan-json.ts'
import { jsonText } from '../testing/json-text.ts'
import { writeTape } from '../write-tape.ts'
import { loadScanner } from './load-scanner.ts'
import { wasmTape } from './wasm-tape.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function javascriptTape(bytes: Uint8Array, maxDepth: number): Int32Array | undefined {
  try {
    return writeTape(bytes, maxDepth)
  } catch (error) {
    if (IncipitError.is(error)) return undefined
    throw error
  }
}

/** What both scanners say, or that they differ: in what they accept, or in a tape. */
function verdict(bytes: Uint8Array, maxDepth = 128): 'valid' | 'invalid' | 'differs' {
  const tape = wasmTape(bytes, maxDepth)
  const expected = javascriptTape(bytes, maxDepth)
  if (tape?.length !== expected?.length) return 'differs'
  if (tape?.some((entry, index) => entry !== expected?.[index]) === true) return 'differs'
  return tape === undefined ? 'invalid' : 'valid'
}

test('WebAssembly runs here, so that these tests compare two scanners', () => {
  expect(loadScanner()).toBeDefined()
  expect(wasmTape(encode('[1]'), 128)).toEqual(Int32Array.from([0, 3, 6, 1, 2, 6]))
})

test('both scanners write the same tape for any JSON text, wherever it stands in a buffer', () => {
  fc.assert(
    fc.property(jsonText, fc.nat(20), (text, before) => {
      const bytes = encode(' '.repeat(before) + text)
      expect(verdict(bytes.subarray(before))).toBe('valid')
    }),
    { numRuns: 1_000 },
  )
})

test('both scanners agree on JSON that is cut, spliced or has a byte changed', () => {
  const change = fc.constantFrom(
    ...encode('{}[]:,"\\u0eE+-. \n\t'),
    0x00,
    0x1f,
    0x7f,
    0x80,
    0xbf,
    0xc3,
    0xe2,
    0xf0,
    0xff,
  )
  fc.assert(
    fc.property(jsonText, fc.nat(), fc.nat(), fc.oneof(change, fc.nat(255)), (text, from, to, byte) => {
      const bytes = encode(text)
      expect(verdict(bytes.subarray(0, from % (bytes.length + 1)))).not.toBe('differs')
      expect(
        verdict(Uint8Array.from([...bytes.subarray(0, from % bytes.length), ...bytes.subarray(to % bytes.length)])),
      ).not.toBe('differs')
      bytes[from % bytes.length] = byte
      expect(verdict(bytes)).not.toBe('differs')
    }),
    { numRuns: 5_000 },
  )
})

test('both scanners agree on any few bytes, in a string and out of one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expect(verdict(bytes)).not.toBe('differs')
      expect(verdict(Uint8Array.from([0x22, ...bytes, 0x22]))).not.toBe('differs')
    }),
    { numRuns: 5_000 },
  )
})

/** Strings that put `middle` at every offset within two blocks of 64 bytes, with a tail that ends in any lane. */
function aroundEveryLane(middle: readonly number[], check: (bytes: Uint8Array) => void): void {
  for (let before = 0; before < 132; before++) {
    for (const after of [0, 1, 2, 3, 14, 15, 16, 17, 62, 63, 64, 65]) {
      const bytes = new Uint8Array(before + middle.length + after + 2).fill(0x78)
      bytes[0] = 0x22
      bytes.set(middle, before + 1)
      bytes[bytes.length - 1] = 0x22
      check(bytes)
    }
  }
}

test('strings of every length up to 300 bytes end where they end', () => {
  for (let length = 0; length <= 300; length++) {
    expect(verdict(encode(`["${'x'.repeat(length)}","${'é'.repeat(length)}","${'\\n'.repeat(length)}"]`))).toBe('valid')
    expect(verdict(encode(`"${'x'.repeat(length)}`))).toBe('invalid')
  }
})

test.each([
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\n',
  '\\r',
  '\\t',
  '\\u00e9',
  '\\uD83D\\ude00',
  '\\\\\\"',
  '\\\\\\\\',
])('the escape %s is taken at every place of a block', (escape) => {
  aroundEveryLane([...encode(escape)], (bytes) => expect(verdict(bytes)).toBe('valid'))
})

test.each(['\\x', '\\U0041', '\\u', '\\u12', '\\u12g4', '\\u 123', '\\u00"', '\\\\\\', '\\\\"', '\\\n', '\\0', '\\é'])(
  'the escape %j is refused at every place of a block',
  (escape) => {
    aroundEveryLane([...encode(escape)], (bytes) => expect(verdict(bytes)).toBe('invalid'))
  },
)

test('of all bytes, the same ones may stand behind a backslash, as a hex digit, and in a string alone', () => {
  for (let byte = 0; byte < 256; byte++) {
    for (const space of ['', 'x'.repeat(20), 'x'.repeat(61)]) {
      expect(verdict(Uint8Array.from([0x22, ...encode(space), 0x5c, byte, 0x22]))).not.toBe('differs')
      expect(verdict(Uint8Array.from([0x22, ...encode(`${space}\\u00`), byte, 0x30, 0x22]))).not.toBe('differs')
      expect(verdict(Uint8Array.from([0x22, ...encode(space), byte, 0x22]))).not.toBe('differs')
    }
  }
})

test('runs of backslashes of every length, at every place of a block', () => {
  for (let length = 1; length < 140; length++) {
    for (let before = 0; before < 66; before++) {
      const text = `"${'x'.repeat(before)}${'\\'.repeat(length)}"`
      expect(verdict(encode(text))).toBe(length % 2 === 0 ? 'valid' : 'invalid')
      expect(verdict(encode(`[${text}n"]`))).toBe(length % 2 === 1 ? 'valid' : 'invalid')
    }
  }
})

test.each([
  ['the first and last of two bytes', [0xc2, 0x80, 0xdf, 0xbf], true],
  ['the first and last of three bytes', [0xe0, 0xa0, 0x80, 0xef, 0xbf, 0xbf], true],
  ['what surrounds the surrogates', [0xed, 0x9f, 0xbf, 0xee, 0x80, 0x80], true],
  ['the first and last of four bytes', [0xf0, 0x90, 0x80, 0x80, 0xf4, 0x8f, 0xbf, 0xbf], true],
  ['a continuation alone', [0x80], false],
  ['a continuation too many', [0xc3, 0xa9, 0xa9], false],
  ['two bytes cut', [0xc3], false],
  ['three bytes cut', [0xe2, 0x82], false],
  ['three bytes cut early', [0xe2], false],
  ['four bytes cut', [0xf0, 0x9f, 0x98], false],
  ['four bytes cut early', [0xf0, 0x9f], false],
  ['a lead behind a lead', [0xe2, 0xc3, 0xa9], false],
  ['two bytes, overlong', [0xc1, 0xbf], false],
  ['three bytes, overlong', [0xe0, 0x9f, 0xbf], false],
  ['four bytes, overlong', [0xf0, 0x8f, 0xbf, 0xbf], false],
  ['a surrogate', [0xed, 0xa0, 0x80], false],
  ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], false],
  ['far above U+10FFFF', [0xf5, 0x80, 0x80, 0x80], false],
  ['a byte that is never used', [0xff], false],
])('UTF-8: %s, at every place of a block', (_, middle, valid) => {
  aroundEveryLane(middle, (bytes) => expect(verdict(bytes)).toBe(valid ? 'valid' : 'invalid'))
})

test('every pair of bytes, and every pair behind a lead of three and of four, is UTF-8 for both or for neither', () => {
  const around = [
    { before: [], after: [] },
    { before: [], after: [0x80] },
    { before: [], after: [0x80, 0x80] },
    { before: [0xe2], after: [] },
    { before: [0xf1], after: [0xbf] },
  ]
  const high = Array.from({ length: 129 }, (_, index) => 0x7f + index)
  const strings = (first: number): Uint8Array[] =>
    high.flatMap((second) =>
      around.map(({ before, after }) => Uint8Array.from([0x22, ...before, first, second, ...after, 0x22])),
    )
  for (const first of high) expect(strings(first).filter((bytes) => verdict(bytes) === 'differs')).toEqual([])
})

test('numbers and literals end at the end of lanes and of the body', () => {
  const values = ['0', '-0', '12', '-1.5e-7', '1E+300', '123456789012345', '1234567890123456', '12345678901234567']
  const broken = ['-', '01', '1.', '.5', '1e', '1e+', '+1', '1.e3', '--1', '0x1', 'tru', 'truf', 'nul', 'falsy', 'fals']
  for (let before = 0; before < 20; before++) {
    const space = ' '.repeat(before)
    for (const value of [...values, 'true', 'false', 'null']) {
      expect(verdict(encode(space + value))).toBe('valid')
      expect(verdict(encode(`[${value},${space}${value}${space}]`))).toBe('valid')
    }
    for (const value of broken) {
      expect(verdict(encode(space + value))).toBe('invalid')
      expect(verdict(encode(`{"a":${space}${value}}`))).toBe('invalid')
    }
  }
})

test('nothing, spaces alone, and what stands behind a value', () => {
  for (const text of ['', ' ', ' '.repeat(40), '{} {}', '1 2', '[]]', '{}\0', '\uFEFF{}', '[1,]', '{"a":1,}', '{"a"}'])
    expect(verdict(encode(text))).toBe('invalid')
  expect(verdict(encode(`${' \t\r\n'.repeat(20)}{${'\n'.repeat(33)}}${' '.repeat(17)}`))).toBe('valid')
})

test('nesting is allowed as deep as asked for', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    for (const depth of [1, 2, 3, 127, 128, 129]) {
      const bytes = encode(`${open.repeat(depth)}1${close.repeat(depth)}`)
      expect(verdict(bytes)).toBe(depth <= 128 ? 'valid' : 'invalid')
      expect(verdict(bytes, depth)).toBe('valid')
      expect(verdict(bytes, depth - 1)).toBe('invalid')
    }
  }
  // There is room for no more levels: whoever allows more gets them from the other scanner.
  expect(wasmTape(encode('[]'), 1_000)).toBeUndefined()
  expect(scanJson(encode('['.repeat(300) + ']'.repeat(300)), { maxDepth: 300 }).end(0)).toBe(600)
})

test('a scan leaves no trace in the next, and no tape changes afterwards', () => {
  const long = encode(JSON.stringify(Array.from({ length: 3_000 }, (_, index) => `"${index}`)))
  const tape = wasmTape(long, 128)!
  const kept = Int32Array.from(tape)
  // Each begins as a longer body went on, which still stands in memory behind it.
  for (const length of [1, 2, 15, 16, 17, 63, 64, 65, 1_000]) expect(verdict(long.subarray(0, length))).toBe('invalid')
  expect(verdict(encode('[1,2]'))).toBe('valid')
  expect(tape).toEqual(kept)
})

test('memory grows while scanning and with the body, up to 16 MiB, and JavaScript takes what is larger', () => {
  const scanner = loadScanner()!
  const dense = encode(`[${'1,'.repeat(400_000)}1]`)
  const tape = scanner.scan(dense, 128)!
  expect(tape.length).toBe(400_002 * 3)
  expect(Array.from(tape.subarray(-3))).toEqual([800_001, 800_002, tape.length])
  expect(scanner.memoryBytes).toBeLessThan(8 * 1024 * 1024)
  // 36 MB of tape do not fit, and the body alone would.
  expect(scanner.scan(encode(`[${'1,'.repeat(3_000_000)}1]`), 128)).toBeUndefined()
  expect(scanner.scan(encode(`"${'x'.repeat(8 * 1024 * 1024)}"`), 128)).toBeUndefined()
  expect(scanner.scan(encode(`"${'x'.repeat(8 * 1024 * 1024 - 2)}"`), 128)).toEqual(
    Int32Array.from([0, 8 * 1024 * 1024, 3]),
  )
  expect(scanner.memoryBytes).toBeLessThanOrEqual(16 * 1024 * 1024)
  expect(scanner.scan(encode('{}'), 128)).toEqual(Int32Array.from([0, 2, 3]))
})
