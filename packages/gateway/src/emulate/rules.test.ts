import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import * as anthropicModels from './anthropic/models.ts'
import * as anthropic from './anthropic/rules.ts'
import { wordings as anthropicWordings } from './anthropic/wording.ts'
import { faultSchema } from './fault.ts'
import * as fireworks from './fireworks/rules.ts'
import * as openaiModels from './openai/models.ts'
import * as openai from './openai/rules.ts'
import { wordings as openaiWordings } from './openai/wording.ts'
import type { Rule } from './rule.ts'
import * as vllm from './vllm/rules.ts'
import * as workersAi from './workers-ai/rules.ts'

const tables = [
  anthropic,
  anthropicModels,
  anthropicWordings,
  fireworks,
  openai,
  openaiModels,
  openaiWordings,
  vllm,
  workersAi,
]
const rows = tables.flatMap((table) => Object.entries(table).flatMap(([name, value]) => rulesIn(name, value)))

function rulesIn(name: string, value: unknown): readonly (readonly [string, Rule<unknown>])[] {
  if (typeof value !== 'object' || value === null) return []
  if ('source' in value && 'asOf' in value) return [[name, value as Rule<unknown>]]
  return Object.entries(value).flatMap(([inner, member]) => rulesIn(`${name}.${inner}`, member))
}

test.each(rows)('rule %s has a value, a source, a date and a certainty', (_name, rule) => {
  expect(rule.value).toBeDefined()
  expect(rule.source).toMatch(/^https:\/\/\S+|^docs\/emulators\.md$|^general knowledge$/)
  expect(rule.asOf).toMatch(/^2026-\d\d-\d\d$/)
  expect(['verified', 'secondary', 'unverified']).toContain(rule.certainty)
})

test('what no source says is not called verified', () => {
  const unsourced = rows.filter(([, { source }]) => !source.startsWith('https://'))
  expect(unsourced.filter(([, { certainty }]) => certainty !== 'unverified')).toEqual([])
  expect(rows.length).toBeGreaterThan(80)
})

test('docs/emulators.md names every source, and every fault', async () => {
  const page = await readFile(new URL('../../../../docs/emulators.md', import.meta.url), 'utf8')
  const sources = rows.flatMap(([, { source }]) => source.match(/https:\/\/[^\s,]+/g) ?? [])
  expect(sources.filter((source) => !page.includes(source))).toEqual([])
  const members = Object.keys((faultSchema as unknown as { shape: object }).shape)
  expect(members.filter((member) => !page.includes(`\`${member}\``))).toEqual([])
  expect(members.length).toBeGreaterThan(15)
})
