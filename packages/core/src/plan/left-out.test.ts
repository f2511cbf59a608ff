import { expect, test } from 'vitest'
import { scanJson } from '../json/scan-json.ts'
import type { LeftOutName } from './left-out.ts'
import { leftOutRanges } from './left-out.ts'

/** Every order of a mark, a label and a member that stays. */
const orders = ['mlx', 'mxl', 'lmx', 'lxm', 'xml', 'xlm', 'mmlx', 'lmlx', 'xmlm']
const members: Readonly<Record<string, string>> = { m: '"cache_control":1', l: '"incipit":2', x: '"x":3' }

const without = (body: string, names: readonly LeftOutName[]): unknown => {
  const bytes = new TextEncoder().encode(`[${body}]`)
  const document = scanJson(bytes)
  const [object = 0] = document.elements(0)
  const ranges = names.flatMap((name) => leftOutRanges(document, object, name)).sort((a, b) => a.start - b.start)
  let left = ''
  let at = 0
  for (const { start, end } of ranges) {
    expect(start).toBeGreaterThanOrEqual(at)
    left += new TextDecoder().decode(bytes.subarray(at, start))
    at = end
  }
  return (JSON.parse(left + new TextDecoder().decode(bytes.subarray(at))) as unknown[])[0]
}

test.each(orders)('a mark and a label of an object go alone or together, in the order %s', (order) => {
  const body = `{ ${order
    .split('')
    .map((letter) => members[letter])
    .join(' , ')} }`
  expect(without(body, ['cache_control', 'incipit'])).toEqual({ x: 3 })
  expect(without(body, ['incipit'])).toEqual({ cache_control: 1, x: 3 })
  expect(without(body, ['cache_control'])).toEqual({ incipit: 2, x: 3 })
})

test('of an object with nothing else, one goes and the other stays', () => {
  expect(without('{"cache_control":1,"incipit":2}', ['incipit'])).toEqual({ cache_control: 1 })
  expect(without('{"cache_control":1,"incipit":2}', ['cache_control'])).toEqual({ incipit: 2 })
  expect(without('{"x":3}', ['incipit'])).toEqual({ x: 3 })
})
