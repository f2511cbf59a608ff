import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { usageIn } from './usage-scan.ts'
import { WholeTap } from './whole-tap.ts'

const scan = (text: string): unknown => usageIn(Buffer.from(text), 0, Buffer.byteLength(text), undefined)

test('usage is found with any spacing, and only where it is the name of a member', () => {
  expect(scan('{"usage" : \n{ "input_tokens": 3 }}')).toEqual({ input_tokens: 3 })
  expect(scan('{"text":"\\"usage\\":{\\"input_tokens\\":3}"}')).toBeUndefined()
  expect(scan('{"usage":null}')).toBeUndefined()
  expect(scan('{"a":"usage","b":{"input_tokens":3}}')).toBeUndefined()
})

test('an object of that name without counts of tokens is none: a tool may take a parameter "usage"', () => {
  expect(scan('{"properties":{"usage":{"type":"object","description":"tokens"}}}')).toBeUndefined()
})

test('what is broken, too long or not complete is no usage', () => {
  expect(scan('{"usage":{"input_tokens":3')).toBeUndefined()
  expect(scan('{"usage":{"input_tokens":3,}}')).toBeUndefined()
  expect(scan(`{"usage":{"input_tokens":3,"pad":"${'x'.repeat(20_000)}"}}`)).toBeUndefined()
})

test('what nests deeper than any usage does is none: writing it out would overflow the stack', () => {
  const nested = (levels: number): string => `{"usage":{"tokens":3,"x":${'['.repeat(levels)}"]["${']'.repeat(levels)}}}`
  expect(scan(nested(31))).toMatchObject({ tokens: 3 })
  expect(scan(nested(32))).toBeUndefined()
  expect(scan(nested(6_000))).toBeUndefined()
})

test('of several objects the larger count of each field wins', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ input_tokens: fc.nat(), output_tokens: fc.nat() }), { minLength: 1 }), (all) => {
      const found = scan(all.map((usage) => JSON.stringify({ usage })).join('\n'))
      expect(found).toEqual({
        input_tokens: Math.max(...all.map((usage) => usage.input_tokens)),
        output_tokens: Math.max(...all.map((usage) => usage.output_tokens)),
      })
    }),
    { numRuns: 100 },
  )
})

test('a whole answer gives usage and id at either of its ends, at any cut', () => {
  const filling = '"content":[{"id":"block","text":"usage"}]'
  const usage = '"usage":{"input_tokens":3,"output_tokens":2}'
  for (const text of [`{"id":"msg_1",${filling},${usage}}`, `{"id":"msg_1",${usage},${filling}}`]) {
    const bytes = Buffer.from(text)
    for (let at = 0; at <= bytes.length; at++) {
      const tap = new WholeTap()
      tap.push(bytes.subarray(0, at))
      tap.push(bytes.subarray(at))
      tap.finish()
      expect([tap.answerId, tap.usage], `cut at ${at}`).toEqual(['msg_1', { input_tokens: 3, output_tokens: 2 }])
    }
  }
})

test('of a large answer only the end is kept', () => {
  const tap = new WholeTap()
  const before = process.memoryUsage().arrayBuffers
  tap.push(Buffer.from('{"id":"msg_1","text":"'))
  for (let i = 0; i < 256; i++) tap.push(Buffer.alloc(2 ** 18, 'x'))
  tap.push(Buffer.from('","usage":{"input_tokens":3}}'))
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(48 * 2 ** 20)
  tap.finish()
  expect([tap.answerId, tap.usage, tap.answered]).toEqual(['msg_1', { input_tokens: 3 }, true])
})

test('D-51 a whole answer with status 200 that holds an error is known for one, and a null is none', () => {
  const faultOf = (body: unknown): boolean => {
    const tap = new WholeTap()
    tap.push(Buffer.from(JSON.stringify(body)))
    tap.finish()
    return tap.fault !== undefined
  }
  expect(faultOf({ error: { message: 'no credit', code: 402 } })).toBe(true)
  expect(faultOf({ id: 'resp_1', status: 'failed', error: { code: 'server_error', message: 'x' } })).toBe(true)
  expect(faultOf({ id: 'resp_1', status: 'completed', error: null, output: [] })).toBe(false)
  expect(faultOf({ choices: [{ message: { content: '"error":{}' } }] })).toBe(false)
})
