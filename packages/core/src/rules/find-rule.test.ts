import { expect, test } from 'vitest'
import { epochMs } from '../domain/units.ts'
import { cacheRules } from './cache-rules.ts'
import { findRule } from './find-rule.ts'

const november = epochMs(Date.UTC(2026, 10, 20))

test('P-1 P-2 P-3 minimum and step are found per provider and model', () => {
  const found = (provider: Parameters<typeof findRule>[0], model: string): (number | undefined)[] => {
    const rule = findRule(provider, model, november)
    return [rule?.minTokens, rule?.stepTokens]
  }
  expect(found('anthropic', 'claude-opus-4-5-20251101')).toEqual([4096, undefined])
  expect(found('anthropic', 'anthropic/claude-opus-4.7')).toEqual([2048, undefined])
  expect(found('anthropic', 'claude-sonnet-4@20250514')).toEqual([1024, undefined])
  expect(found('openai', 'gpt-4o-2024-11-20')).toEqual([1024, 128])
  expect(found('openai', 'gpt-5.5')).toEqual([1024, 2048])
  expect(found('openai', 'gpt-6-sol')).toEqual([1024, undefined])
  expect(found('gemini', 'gemini-3.1-pro-preview')).toEqual([4096, undefined])
  expect(found('gemini', 'models/gemini-2.5-pro')).toEqual([2048, undefined])
})

test('P-5 a model without a rule of its own never takes that of its namesake', () => {
  expect(findRule('anthropic', 'claude-opus-4-9', november)?.model).toBe('*')
  expect(findRule('openai', 'gpt-4o-mini', november)?.model).toBe('*')
  expect(findRule('anthropic', 'claude-opus-4-9', november)?.minTokens).toBeUndefined()
  expect(findRule('fireworks', 'accounts/fireworks/models/kimi-k2.6', november)).toMatchObject({
    model: '*',
    minTokens: undefined,
    readMultiplier: 0.5,
  })
  expect(findRule('workers-ai', '@cf/moonshotai/kimi-k2.5', november)?.readMultiplier).toBeUndefined()
})

test('P-4 a rule changes on the day its fact changes', () => {
  const lastDay = findRule('anthropic', 'claude-sonnet-5-5', epochMs(Date.UTC(2026, 9, 6, 23, 59, 59)))
  const nextDay = findRule('anthropic', 'claude-sonnet-5-5', epochMs(Date.UTC(2026, 9, 7)))
  expect([lastDay?.readMultiplier, nextDay?.readMultiplier]).toEqual([0.1, 0.05])
})

test('P-2 P-4 write prices belong to a TTL that the model offers', () => {
  for (const rule of cacheRules) {
    const offered = rule.ttls.map((ttl) => ttl.name as string)
    for (const ttl of Object.keys(rule.writeMultiplier)) expect(offered).toContain(ttl)
  }
  expect(findRule('openai', 'gpt-6.1-terra', november)?.writeMultiplier).toEqual({ '30m': 1.25, '12h': 2.5 })
  expect(findRule('openai', 'gpt-4o', november)?.writeMultiplier).toEqual({})
})

test('every rule says where and when it was read, and how sure it is; no two contend', () => {
  const keys = cacheRules.map((rule) => `${rule.provider} ${rule.model} ${rule.from ?? ''} ${rule.until ?? ''}`)
  expect(new Set(keys).size).toBe(keys.length)
  for (const rule of cacheRules) {
    expect(rule.source).toMatch(/^https:\/\//)
    expect(rule.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/)
    expect(['V', 'S', 'U']).toContain(rule.certainty)
    expect(rule.model).not.toContain('.')
  }
})
