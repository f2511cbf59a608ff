import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { dataUrl, urlSource } from './data-url.ts'

test('bytes in a data URL are found', () => {
  expect(urlSource('data:image/png;base64,AAAA')).toEqual({ kind: 'base64', mediaType: 'image/png', data: 'AAAA' })
})

test.each([
  ['https://x/data:image/png;base64,A'],
  ['data:image/png,AA'],
  ['data:;base64,AA'],
  ['data:a/b;c=d;base64,AA'],
  ['data:'],
  [''],
])('anything else stays a URL: %s', (url) => {
  expect(urlSource(url)).toEqual({ kind: 'url', url })
})

test('whatever is read is written again as it was', () => {
  const parts = fc.array(fc.constantFrom('data:', ';base64,', 'image/png', ';', ',', 'AA'), { maxLength: 6 })
  fc.assert(
    fc.property(parts, (parts) => {
      const url = parts.join('')
      const source = urlSource(url)
      expect(source.kind === 'base64' ? dataUrl(source) : source).toEqual(
        source.kind === 'base64' ? url : { kind: 'url', url },
      )
    }),
  )
})
