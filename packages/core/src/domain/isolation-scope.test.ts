import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Hasher } from './hasher.ts'
import { IsolationScope } from './isolation-scope.ts'
import { orgId } from './units.ts'

const hasher: Hasher = {
  hmacSha256: (key, message) => createHmac('sha256', key).update(message).digest(),
  sha256: (message) => createHash('sha256').update(message).digest(),
}
const ports = { hasher, secret: new Uint8Array(32) }

test('F-3 P-6 a scope differs by organisation, by isolation key and by whether a key was sent', () => {
  const keys = [
    IsolationScope.of({ org: orgId('acme') }, ports),
    IsolationScope.of({ org: orgId('acme'), isolationKey: '' }, ports),
    IsolationScope.of({ org: orgId('acme'), isolationKey: 'a' }, ports),
    IsolationScope.of({ org: orgId('acmea') }, ports),
    IsolationScope.of({ org: orgId('acme'), narrower: ['a'] }, ports),
  ].map((scope) => scope.key)
  expect(new Set(keys).size).toBe(keys.length)
})

test('F-3 fields cannot run into each other: the framing carries their lengths', () => {
  const left = IsolationScope.of({ org: orgId('ab'), isolationKey: 'c' }, ports)
  const right = IsolationScope.of({ org: orgId('a'), isolationKey: 'bc' }, ports)
  expect(left.key).not.toBe(right.key)
})

test('P-6 equal fields under one secret share a scope, another secret does not', () => {
  const again = IsolationScope.of({ org: orgId('acme') }, ports)
  expect(IsolationScope.of({ org: orgId('acme') }, ports).key).toBe(again.key)
  const other = IsolationScope.of({ org: orgId('acme') }, { hasher, secret: new Uint8Array(32).fill(1) })
  expect(other.key).not.toBe(again.key)
})

test('F-4 the keys of an organisation, and of an isolation key in it, share a beginning', () => {
  const whole = IsolationScope.of({ org: orgId('acme'), isolationKey: 'a', narrower: ['x'] }, ports).key
  expect(whole.startsWith(IsolationScope.prefixOf({ org: orgId('acme') }, ports))).toBe(true)
  expect(whole.startsWith(IsolationScope.prefixOf({ org: orgId('acme'), isolationKey: 'a' }, ports))).toBe(true)
  expect(whole.startsWith(IsolationScope.prefixOf({ org: orgId('acme'), isolationKey: 'b' }, ports))).toBe(false)
  expect(whole.startsWith(IsolationScope.prefixOf({ org: orgId('acm') }, ports))).toBe(false)
})
