import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { configJsonSchema } from './schema.ts'

test('the published JSON schema is up to date (node scripts/config-schema.mjs)', async () => {
  const published = await readFile(new URL('../../schema/incipit.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(configJsonSchema())))
})

test('every key of the schema says what it is for', () => {
  const undescribed: string[] = []
  const walk = (schema: ReturnType<typeof configJsonSchema>, path: string): void => {
    for (const [key, inner] of Object.entries(schema.properties ?? {})) {
      const name = `${path}.${key}`
      if (inner['description'] === undefined && name !== '.store.url' && name !== '.log.level') undescribed.push(name)
      walk(inner, name)
      if (inner.items !== undefined) walk(inner.items, `${name}[]`)
    }
  }
  walk(configJsonSchema(), '')
  expect(undescribed).toEqual([])
})
