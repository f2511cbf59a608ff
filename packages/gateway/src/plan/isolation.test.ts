import { createOpenaiChat, IsolationScope, orgId, sessionId } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import type { Caller } from '../authenticate/authenticate.ts'
import { KeyRing } from '../authenticate/authenticate.ts'
import type { UpstreamSettings } from '../config/upstream-settings.ts'
import type { House } from '../house.ts'
import type { Identified } from '../passage.ts'
import { nodeHasher } from '../ports/node-hasher.ts'
import type { UpstreamTarget } from '../route/route.ts'
import { aSettings } from '../upstreams/testing/a-settings.ts'
import { openUpstream } from '../upstreams/upstream.ts'
import type { UpstreamIsolation } from './isolation.ts'
import { isolationFor } from './isolation.ts'

const secret = new TextEncoder().encode('a secret of the tests')
const ports = { hasher: nodeHasher, secret }

interface Asked {
  readonly settings: Partial<UpstreamSettings>
  readonly org?: string
  /** Without keys there is one organisation alone. */
  readonly open?: boolean
  readonly isolationKey?: string
  readonly cacheKey?: string
}

function isolation({ settings, org = 'acme', open = false, isolationKey, cacheKey }: Asked): UpstreamIsolation {
  const keys = open ? [] : [{ key: 'key-of-acme-0001', org: 'acme', name: 'web', role: 'member' as const }]
  const caller: Caller = {
    org: orgId(org),
    keyName: 'web',
    role: 'member',
    credential: undefined,
    ownCredential: false,
  }
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], prompt_cache_key: cacheKey }
  const who: Identified = {
    request: {} as IncomingMessage, // nothing of it is read
    caller,
    head: { prefixCache: 'on', isolationKey },
    toSend: () => [],
    prompt: createOpenaiChat().parse(new TextEncoder().encode(JSON.stringify(body)), {}),
    session: sessionId('ses_1'),
    prefixCache: 'on',
    control: false,
    scope: IsolationScope.of({ org: orgId(org), isolationKey }, ports),
    wireHash: undefined,
    opening: undefined,
    subpath: undefined,
  }
  const upstream = openUpstream({ ...aSettings, ...settings })
  const [replica] = upstream.replicas
  if (replica === undefined) throw new Error('an upstream has a replica')
  const target: UpstreamTarget = { kind: 'upstream', upstream, model: 'm', replica }
  return isolationFor(who, target, { ...ports, keys: new KeyRing(keys) } as House) // no more of it is read
}

const nothing = { header: undefined, field: undefined, saltText: undefined, warnings: [] }
const value = /^inc_[0-9a-f]{64}$/

test('F-3 each kind is given the scope in the place where it takes one', () => {
  expect(isolation({ settings: { kind: 'fireworks' } })).toEqual({
    ...nothing,
    header: { name: 'x-prompt-cache-isolation-key', value: expect.stringMatching(value) },
  })
  for (const kind of ['vllm', 'sglang'] as const) {
    expect(isolation({ settings: { kind } })).toEqual({
      ...nothing,
      field: { name: 'cache_salt', value: expect.stringMatching(value) },
    })
  }
  expect(isolation({ settings: { isolation: 'salt_text' } })).toEqual({
    ...nothing,
    saltText: expect.stringMatching(/^\[scope inc_[0-9a-f]{64}\]$/),
  })
})

test('F-3 without keys there is nobody to be kept apart from, until an isolation key asks for it', () => {
  const settings = { kind: 'vllm' } as const
  expect(isolation({ settings, open: true })).toEqual(nothing)
  expect(isolation({ settings, open: true, isolationKey: 'tenant' }).field?.name).toBe('cache_salt')
  expect(isolation({ settings: { isolation: 'shared' } })).toEqual(nothing)
})

test('F-3 what an upstream does not enforce is a warning where it was asked for', () => {
  // Native, of a kind that has nothing of the sort, is no isolation either.
  for (const settings of [{ isolation: 'shared' }, { kind: 'openrouter', isolation: 'native' }] as const) {
    const { warnings, ...rest } = isolation({ settings, isolationKey: 'tenant' })
    expect(rest).toMatchObject({ header: undefined, field: undefined, saltText: undefined })
    expect(warnings.map(({ code, where }) => [code, where])).toEqual([
      ['isolation_not_enforced', 'prompt_cache_isolation_key'],
    ])
    expect(JSON.stringify(warnings)).not.toContain('tenant')
  }
})

test('P-6 by credential: the organisation has its own, or is refused', () => {
  const settings = { isolation: 'credential', orgKeys: { acme: 'sk-of-acme' } } as const
  expect(isolation({ settings })).toEqual(nothing)
  expect(() => isolation({ settings, org: 'bolt' })).toThrow(expect.objectContaining({ code: 'forbidden' }))
})

test("F-3 OpenAI's key says the scope and the client's own key in 64 characters", () => {
  const keyOf = (more: Partial<Asked>): string =>
    isolation({ settings: { isolation: 'native' }, ...more }).field?.value ?? ''
  const scope = keyOf({})
  expect(scope).toMatch(/^inc_[0-9a-f]{32}$/)
  expect(keyOf({ cacheKey: 'a'.repeat(27) })).toBe(`${scope}:${'a'.repeat(27)}`)
  const long = keyOf({ cacheKey: 'a'.repeat(28) })
  expect(long).toMatch(/^inc_[0-9a-f]{32}:ses_[0-9a-f]{23}$/)
  expect(long.startsWith(scope)).toBe(true)
  expect(keyOf({ cacheKey: `${'a'.repeat(28)}b` })).not.toBe(long)
  const scopes = [scope, keyOf({ org: 'bolt' }), keyOf({ isolationKey: 'one' }), keyOf({ isolationKey: 'two' })]
  expect(new Set(scopes).size).toBe(4)
})
