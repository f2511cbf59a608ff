import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { discoverUpstreams } from './discover-upstreams.ts'

const own = { host: '127.0.0.1', port: 4141, keys: ['key-of-the-gateway'] }
const all = {
  OPENAI_API_KEY: 'k1',
  ANTHROPIC_API_KEY: 'k2',
  FIREWORKS_API_KEY: 'k3',
  OPENROUTER_API_KEY: 'k4',
  CLOUDFLARE_ACCOUNT_ID: 'acc',
  CLOUDFLARE_API_TOKEN: 'k5',
}

test('an empty environment has no upstreams, and neither have variables without a value', () => {
  expect(discoverUpstreams({})).toEqual({ upstreams: [], sources: [], skipped: [] })
  const hollow = Object.fromEntries(Object.keys(all).map((name) => [name, '']))
  expect(discoverUpstreams(hollow)).toEqual({ upstreams: [], sources: [], skipped: [] })
})

test('every provider is found by its usual variables, the one that takes names of all vendors last', () => {
  const { upstreams, sources, skipped } = discoverUpstreams(all)
  expect(upstreams).toEqual([
    {
      name: 'openai',
      kind: 'openai',
      api_key: 'k1',
      models: ['gpt-*', 'o1*', 'o3*', 'o4*', 'chatgpt-*', 'codex-*', 'text-embedding-*'],
    },
    { name: 'anthropic', kind: 'anthropic', api_key: 'k2', models: ['claude-*'] },
    { name: 'fireworks', kind: 'fireworks', api_key: 'k3', models: ['accounts/fireworks/*'] },
    { name: 'workers-ai', kind: 'workers-ai', api_key: 'k5', models: ['@cf/*', '@hf/*'], account_id: 'acc' },
    { name: 'openrouter', kind: 'openrouter', api_key: 'k4', models: ['*/*'] },
  ])
  expect(sources.map(({ variables }) => variables)).toEqual([
    ['OPENAI_API_KEY'],
    ['ANTHROPIC_API_KEY'],
    ['FIREWORKS_API_KEY'],
    ['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_ACCOUNT_ID'],
    ['OPENROUTER_API_KEY'],
  ])
  expect(skipped).toEqual([])
})

test('no discovered upstream takes the name of the demo model, or every name', () => {
  const globs = discoverUpstreams(all).upstreams.flatMap(({ models }) => models)
  const matches = (glob: string, name: string): boolean =>
    new RegExp(`^${glob.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*')}$`).test(name)
  for (const name of ['demo', 'llama3', 'qwen.gguf', 'anything']) {
    expect(globs.filter((glob) => matches(glob, name))).toEqual([])
  }
})

describe('a base URL', () => {
  const openai = (OPENAI_BASE_URL: string) => discoverUpstreams({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL }, own)

  test('of the provider itself keeps the kind, one of anyone else makes it a compatible one', () => {
    expect(openai('https://eu.api.openai.com/v1').upstreams).toMatchObject([
      { kind: 'openai', base_url: 'https://eu.api.openai.com/v1' },
    ])
    const other = openai('https://llm.example/v1')
    expect(other.upstreams).toMatchObject([{ kind: 'openai-compatible', base_url: 'https://llm.example/v1' }])
    expect(other.sources[0]?.variables).toEqual(['OPENAI_API_KEY', 'OPENAI_BASE_URL'])
    expect(openai('https://api.openai.com.evil.example/v1').upstreams[0]?.kind).toBe('openai-compatible')
  })

  test.each([
    'http://127.0.0.1:4141/v1',
    'http://localhost:4141',
    'http://[::1]:4141/v1',
    'http://0.0.0.0:4141/v1',
    'http://127.9.9.9:4141/v1',
  ])('%s is this gateway, and no upstream of it', (address) => {
    const { upstreams } = openai(address)
    expect(upstreams).toHaveLength(1)
    expect(upstreams[0]).not.toHaveProperty('base_url')
  })

  test('on this machine but another port is someone else', () => {
    expect(openai('http://127.0.0.1:8000/v1').upstreams).toMatchObject([{ base_url: 'http://127.0.0.1:8000/v1' }])
  })

  test('that is none keeps its key from being sent anywhere', () => {
    const { upstreams, skipped } = openai('llm.example')
    expect(upstreams).toEqual([])
    expect(skipped).toEqual(['OPENAI_BASE_URL is not used, nor is its key: it is no http:// or https:// URL'])
  })
})

test('keys of this gateway, and those its banner tells clients to set, are no keys of a provider', () => {
  for (const key of ['unused', 'YOUR_KEY', 'key-of-the-gateway']) {
    const { upstreams, skipped } = discoverUpstreams({ OPENAI_API_KEY: key, ANTHROPIC_API_KEY: key }, own)
    expect(upstreams).toEqual([])
    expect(skipped).toHaveLength(2)
  }
})

test('a Cloudflare token without an account is passed over, and said so', () => {
  const { upstreams, skipped } = discoverUpstreams({ CLOUDFLARE_API_TOKEN: 'k' })
  expect(upstreams).toEqual([])
  expect(skipped).toEqual(['CLOUDFLARE_API_TOKEN is not used: CLOUDFLARE_ACCOUNT_ID holds no account id'])
})

test('whatever the variables hold, sources and reasons never show it', () => {
  const names = [...Object.keys(all), 'OPENAI_BASE_URL', 'ANTHROPIC_BASE_URL']
  const value = fc.tuple(
    fc.constantFrom('', 'http://', 'https://', 'http://127.0.0.1:4141/'),
    fc.stringMatching(/^[!-~ ]{0,8}$/),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value), (values) => {
      const env = Object.fromEntries(
        Object.entries(values).map(([name, [scheme, rest]]) => [name, `${scheme}SECRET${rest}`]),
      )
      const { sources, skipped } = discoverUpstreams(env, own)
      expect(JSON.stringify({ sources, skipped })).not.toContain('SECRET')
    }),
  )
})
