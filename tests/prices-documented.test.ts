import { reasonCodes } from '@incipit/core'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parsePriceFile } from '../packages/gateway/src/prices/read-price-file.ts'

const page = readFile(new URL('../docs/prices.md', import.meta.url), 'utf8')

test('the price file of the documentation is valid', async () => {
  const [, yaml = ''] = /```yaml\n([^`]+)```/.exec(await page) ?? []
  expect(parsePriceFile(yaml, 'prices.yaml')).toMatchObject({ kind: 'valid', rows: { length: 3 } })
})

test('every reason against caching is documented', async () => {
  const text = await page
  expect(reasonCodes.filter((code) => !text.includes(`\`${code}\``))).toEqual([])
})
