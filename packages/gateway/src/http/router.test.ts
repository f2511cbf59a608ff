import { expect, test } from 'vitest'
import { Router } from './router.ts'

const router = new Router([
  { method: 'GET', path: '/v1/models', target: 'list' },
  { method: 'GET', path: '/v1/models/{id*}', target: 'show' },
  { method: 'POST', path: '/client/v4/accounts/{account}/ai/run/{model*}', target: 'run' },
])

test('CF-4 a model id with slashes and an at sign is the rest of the path', () => {
  expect(router.match('POST', '/client/v4/accounts/acc1/ai/run/@cf/moonshotai/kimi-k2.5')).toEqual({
    kind: 'found',
    target: 'run',
    params: { account: 'acc1', model: '@cf/moonshotai/kimi-k2.5' },
  })
})

test('a known path with another method names the methods it takes', () => {
  expect(router.match('DELETE', '/v1/models')).toEqual({ kind: 'wrong-method', allowed: ['GET'] })
})

test('an unknown path, a missing parameter and broken percent-encoding are unknown', () => {
  for (const path of ['/', '/v1/nothing', '/client/v4/accounts/a/ai/run', '/client/v4/accounts/%E0%A4%A/ai/run/m']) {
    expect(router.match('POST', path).kind).toBe('unknown')
  }
})

test('parts are decoded after splitting: an encoded slash does not make a new part', () => {
  expect(router.match('GET', '/v1/models/%40cf%2Fx')).toMatchObject({ target: 'show', params: { id: '@cf/x' } })
})
