import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { WholeEvents } from './whole-events.ts'

const gaps = ['\n\n', '\r\n\r\n', '\r\r']

test('what an event is not complete with waits for its end', () => {
  const events = new WholeEvents()
  expect(events.push(Buffer.from('data: 1\n\ndata: ')).toString()).toBe('data: 1\n\n')
  expect(events.push(Buffer.from('2\n')).toString()).toBe('')
  expect(events.push(Buffer.from('\nda')).toString()).toBe('data: 2\n\n')
  expect(events.isOpen).toBe(false)
  expect(events.finish().toString()).toBe('da')
})

test('an event longer than the bound passes in parts, and is known to be open until it ends', () => {
  const events = new WholeEvents(8)
  expect(events.push(Buffer.from('data: a')).toString()).toBe('')
  expect(events.push(Buffer.from('bcd')).toString()).toBe('data: abcd')
  expect(events.isOpen).toBe(true)
  expect(events.push(Buffer.from('e\n\nx')).toString()).toBe('e\n\n')
  expect(events.isOpen).toBe(false)
})

test('whole events leave at any cut, with any line ends, as soon as they are whole', () => {
  const event = fc.tuple(
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, '')),
    fc.constantFrom(...gaps),
  )
  fc.assert(
    fc.property(fc.array(event, { maxLength: 8 }), fc.array(fc.nat(120), { maxLength: 12 }), (parts, places) => {
      const whole = parts.map(([text, gap]) => `data: ${text}${gap}`)
      const bytes = Buffer.from(`${whole.join('')}rest`)
      const ends = [...new Set(places.filter((place) => place < bytes.length)), bytes.length].sort((a, b) => a - b)
      const events = new WholeEvents()
      let from = 0
      let out = Buffer.alloc(0)
      for (const end of ends) {
        out = Buffer.concat([out, events.push(bytes.subarray(from, end))])
        from = end
        const complete = endsOf(whole).filter((at) => at <= end)
        expect(out.length).toBe(complete.at(-1) ?? 0)
      }
      expect(Buffer.concat([out, events.finish()])).toEqual(bytes)
    }),
    { numRuns: 500 },
  )
})

test('a long event in small chunks costs time in proportion to its length', () => {
  const events = new WholeEvents()
  const chunk = Buffer.alloc(1_024, 'x')
  const before = performance.now()
  for (let i = 0; i < 32_768; i++) expect(events.push(chunk).length).toBe(0)
  expect(events.push(Buffer.from('\n\n')).length).toBe(32 * 2 ** 20 + 2)
  // Copying what waits with every chunk would move half a terabyte.
  expect(performance.now() - before).toBeLessThan(40_000)
})

function endsOf(whole: readonly string[]): number[] {
  let end = 0
  return whole.map((event) => (end += Buffer.byteLength(event)))
}
