import { sessionId } from '@incipit/core'
import { expect, test } from 'vitest'
import type { RouteTable } from './route.ts'
import { matchesGlob, route } from './route.ts'

const table: RouteTable = {
  strictModels: false,
  models: [
    { upstream: 'engine', name: 'demo', aliases: ['@cf/*'], replicas: ['demo#0', 'demo#1', 'demo#2'] },
    { upstream: 'engine', name: 'coder', aliases: [], replicas: ['coder'] },
  ],
}

test('CF-3 requests of one session go to one replica, sessions spread over replicas', () => {
  const replicaOf = (session: string): string => route('demo', sessionId(session), table).replica
  for (let i = 0; i < 50; i++) expect(replicaOf('ses_12345678')).toBe(replicaOf('ses_12345678'))
  const seen = new Set(Array.from({ length: 60 }, (_, index) => replicaOf(`ses_${index}`)))
  expect(seen.size).toBe(3)
})

test('an exact name wins over an alias, an alias over the default', () => {
  const target = (model: string): string => route(model, sessionId('s'), table).model
  expect(target('coder')).toBe('coder')
  expect(target('@cf/x/y')).toBe('demo')
  expect(target('gpt-unknown')).toBe('demo')
})

test('strict_models refuses an unclaimed name and lists the known ones', () => {
  const strict = { ...table, strictModels: true }
  expect(() => route('gpt-4o', sessionId('s'), strict)).toThrow(/known: demo, @cf\/\*, coder/)
  expect(() => route('gpt-4o', sessionId('s'), strict)).toThrow(expect.objectContaining({ status: 404 }))
})

test('globs match whole names and stay linear', () => {
  expect(matchesGlob('a*b*c', 'axxbyyc')).toBe(true)
  expect(matchesGlob('a*b*c', 'ac')).toBe(false)
  expect(matchesGlob('ab*ba', 'aba')).toBe(false)
  expect(matchesGlob('*', '')).toBe(true)
  expect(matchesGlob(`${'a*'.repeat(40)}b`, 'a'.repeat(20_000))).toBe(false)
})
