import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { StopScan } from './stop-scan.ts'

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '😀'), maxLength: 24 })
const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '😀'), minLength: 1, maxLength: 5 }), {
  maxLength: 4,
})

function naive(text: string, stop: readonly string[]): { text: string; stopped: boolean } {
  const starts = stop.map((each) => text.indexOf(each)).filter((start) => start >= 0)
  return starts.length === 0 ? { text, stopped: false } : { text: text.slice(0, Math.min(...starts)), stopped: true }
}

test('every cutting gives the text before the first stop string', () => {
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 8 }), stops, (chunks, stop) => {
      const scan = new StopScan(stop)
      let text = ''
      for (const chunk of chunks) text += scan.push(chunk).text
      const end = scan.end()
      expect({ text: text + end.text, stopped: end.stopped }).toEqual(naive(chunks.join(''), stop))
    }),
    { numRuns: 2000 },
  )
})

test('nothing is held back but what could still become a stop string', () => {
  fc.assert(
    fc.property(letters, stops, (text, stop) => {
      const { text: sent, stopped } = new StopScan(stop).push(text)
      if (stopped || naive(text, stop).stopped) return
      const held = text.slice(sent.length)
      expect(held === '' || stop.some((each) => each.startsWith(held))).toBe(true)
    }),
    { numRuns: 1000 },
  )
})

test('a longer stop string that began earlier wins over one inside it', () => {
  const scan = new StopScan(['b', 'abc'])
  expect(scan.push('xab')).toEqual({ text: 'x', stopped: false })
  expect(scan.push('c')).toEqual({ text: '', stopped: true })
  expect(scan.push('more')).toEqual({ text: '', stopped: true })
  expect(scan.end()).toEqual({ text: '', stopped: true })
})

test('a stop string inside a longer one that stays open ends the text at its end', () => {
  const scan = new StopScan(['b', 'abc'])
  scan.push('ab')
  expect(scan.end()).toEqual({ text: 'a', stopped: true })
})

// Seconds stand for milliseconds here: whatever is not linear takes far longer.
test('a long stop string that almost matches everywhere costs linear time', { timeout: 5_000 }, () => {
  const scan = new StopScan([`${'a'.repeat(50_000)}b`])
  let length = 0
  for (let pushed = 0; pushed < 500_000; pushed++) length += scan.push('a').text.length
  expect(length).toBe(450_000)
  expect(scan.push('bc')).toEqual({ text: '', stopped: true })
})

test('an empty stop string is refused', () => {
  expect(() => new StopScan(['a', ''])).toThrow(
    expect.objectContaining({ code: 'invalid_request', param: '/stop/1', message: expect.stringContaining('0 chara') }),
  )
})
