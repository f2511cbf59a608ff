import { sessionId } from '@incipit/core'
import { expect, test } from 'vitest'
import type { UpstreamSettings } from '../config/upstream-settings.ts'
import { aSettings } from '../upstreams/testing/a-settings.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { openUpstream } from '../upstreams/upstream.ts'
import type { RouteTable } from './route.ts'
import { matchesGlob, route } from './route.ts'

const table: RouteTable = {
  strictModels: false,
  models: [
    { upstream: 'engine', rules: 'native', name: 'demo', aliases: ['@cf/*'], replicas: ['demo#0', 'demo#1', 'demo#2'] },
    { upstream: 'engine', rules: 'native', name: 'coder', aliases: [], replicas: ['coder'] },
  ],
  upstreams: [],
}

const asker = (session: string, ownCredential = false) => ({ session: sessionId(session), ownCredential })

/** Where a model goes: `engine/MODEL`, or names of upstreams in the order to be tried. */
function placesOf(model: string, routes: RouteTable = table, ownCredential = false): string[] {
  const found = route(model, asker('s', ownCredential), routes)
  if (found.kind === 'engine') return [`engine/${found.target.model}`]
  return found.targets.map(({ upstream, model: called }) => `${upstream.name}/${called}`)
}

function anUpstream(name: string, settings: Partial<UpstreamSettings>): Upstream {
  return openUpstream({ ...aSettings, name, ...settings })
}

test('CF-3 requests of one session go to one replica, sessions spread over replicas', () => {
  const replicaOf = (session: string): string => {
    const found = route('demo', asker(session), table)
    return found.kind === 'engine' ? found.target.replica : 'elsewhere'
  }
  for (let i = 0; i < 50; i++) expect(replicaOf('ses_12345678')).toBe(replicaOf('ses_12345678'))
  const seen = new Set(Array.from({ length: 60 }, (_, index) => replicaOf(`ses_${index}`)))
  expect(seen.size).toBe(3)
})

test('CF-3 D-30 one session goes to one replica of an upstream, however much later', () => {
  const replicas = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3']
  const fleet = { ...table, upstreams: [anUpstream('fleet', { kind: 'vllm', replicas, models: ['llama-*'] })] }
  const replicasOf = (session: string): string[] => {
    const found = route('llama-3', asker(session), fleet)
    return found.kind === 'upstreams' ? found.targets.map(({ replica }) => replica.name) : []
  }
  for (let i = 0; i < 20; i++) expect(replicasOf('ses_1')).toEqual(replicasOf('ses_1'))
  expect(replicasOf('ses_1')).toHaveLength(3)
  expect(new Set(Array.from({ length: 60 }, (_, index) => replicasOf(`ses_${index}`)[0])).size).toBe(3)
})

test('an exact name wins over an alias, an alias over the default', () => {
  expect(placesOf('coder')).toEqual(['engine/coder'])
  expect(placesOf('@cf/x/y')).toEqual(['engine/demo'])
  expect(placesOf('gpt-unknown')).toEqual(['engine/demo'])
})

test('upstreams that claim a name come in order, under the name they call it; a closer local alias keeps its own', () => {
  const upstreams = [
    anUpstream('first', { models: ['gpt-*'] }),
    anUpstream('second', { models: [], modelNames: { 'gpt-6-sol': 'openai/gpt-6-sol' } }),
    anUpstream('any', { models: ['*/*'] }),
  ]
  const routes = { ...table, upstreams }
  expect(placesOf('gpt-6-sol', routes)).toEqual(['first/gpt-6-sol', 'second/openai/gpt-6-sol'])
  expect(placesOf('meta/llama', routes)).toEqual(['any/meta/llama'])
  expect(placesOf('@cf/meta/llama', routes)).toEqual(['engine/demo'])
  expect(placesOf('demo', routes)).toEqual(['engine/demo'])
  expect(placesOf('unclaimed', routes)).toEqual(['engine/demo'])
})

test('a caller with a credential of its own reaches only what is called with it', () => {
  const upstreams = [
    anUpstream('ours', { models: ['gpt-*'] }),
    anUpstream('theirs', { models: ['gpt-*'], credentials: 'client' }),
  ]
  const routes = { ...table, upstreams }
  expect(placesOf('gpt-6-sol', routes, true)).toEqual(['theirs/gpt-6-sol'])
  expect(() => placesOf('demo', routes, true)).toThrow(/not served to a key .* reaches: gpt-\*$/)
})

test('strict_models refuses an unclaimed name and lists the known ones', () => {
  const strict = { ...table, strictModels: true }
  expect(() => placesOf('gpt-4o', strict)).toThrow(/known: demo, @cf\/\*, coder/)
  expect(() => placesOf('gpt-4o', strict)).toThrow(expect.objectContaining({ status: 404 }))
})

test('globs match whole names and stay linear', () => {
  expect(matchesGlob('a*b*c', 'axxbyyc')).toBe(true)
  expect(matchesGlob('a*b*c', 'ac')).toBe(false)
  expect(matchesGlob('ab*ba', 'aba')).toBe(false)
  expect(matchesGlob('*', '')).toBe(true)
  expect(matchesGlob(`${'a*'.repeat(40)}b`, 'a'.repeat(20_000))).toBe(false)
})

test('no name leads to upstreams that keep templates and claim every name, and to nothing else', () => {
  const upstreams = [
    anUpstream('messages', { kind: 'anthropic' }),
    anUpstream('some', { kind: 'openai', models: ['gpt-*'] }),
    anUpstream('chat', { kind: 'openai', speaks: ['openai-chat'] }),
    anUpstream('any', { kind: 'openai' }),
  ]
  expect(placesOf('', { ...table, upstreams })).toEqual(['any/'])
  expect(() => placesOf('', { ...table, upstreams: upstreams.slice(0, 3) })).toThrow('/model is missing')
  expect(() => placesOf('', { ...table, upstreams }, true)).toThrow('/model is missing')
})
