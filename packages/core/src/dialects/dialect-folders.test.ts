import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'

const here = new URL('.', import.meta.url)
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['shared', 'testing'].includes(entry.name))
  .map((entry) => entry.name)

test('every dialect is there', () => {
  expect(folders).toEqual(expect.arrayContaining(['openai-chat', 'workers-ai']))
})

test.each(folders)('%s has the same files as every dialect', (folder) => {
  const files = readdirSync(new URL(folder, here)).filter((name) => !name.endsWith('.test.ts'))
  const expected = 'errors index parse read render stream-reader stream usage wire write'.split(' ')
  expect(files.sort()).toEqual(expected.map((name) => `${name}.ts`))
})
