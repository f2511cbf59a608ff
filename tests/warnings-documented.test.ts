import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('..', import.meta.url)
const textOf = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** The members of the type `WarningCode`: a type leaves nothing that could be counted while a program runs. */
const codes = [...textOf('packages/core/src/domain/warning.ts').matchAll(/^ {2}\| '(\w+)'$/gm)].map(
  ([, code]) => code ?? '',
)
const rows = [...textOf('docs/warnings.md').matchAll(/^\| `(\w+)` +\| (.*?) +\| (.*?) +\|$/gm)]

test('every warning is documented once, with what it means and what to do, and every documented one exists', () => {
  expect(codes.length).toBeGreaterThan(10)
  expect(rows.map(([, code]) => code).sort()).toEqual([...codes].sort())
  expect(rows.filter(([, , means = '', advice = '']) => !means.endsWith('.') || !advice.endsWith('.'))).toEqual([])
})

test('every warning is given somewhere', () => {
  const sources = ['packages/core/src', 'packages/gateway/src'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => /(?<!\.test)\.ts$/.test(file) && !/testing\/|domain\/warning\.ts$/.test(file))
      .map((file) => textOf(`${folder}/${file}`)),
  )
  expect(codes.filter((code) => !sources.some((source) => source.includes(`'${code}'`)))).toEqual([])
})
