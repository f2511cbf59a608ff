import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { KeyRing, requireAdmin } from './authenticate.ts'

const ring = new KeyRing([
  { key: 'key-of-acme-web-0001', org: 'acme', name: 'web', role: 'member' },
  { key: 'key-of-acme-ops-0001', org: 'acme', name: 'ops', role: 'admin' },
])

test('P-6 the organisation comes from the key, as a bearer token or as x-api-key', () => {
  expect(ring.authenticate(asking({ authorization: 'Bearer key-of-acme-web-0001' }))).toMatchObject({
    org: 'acme',
    keyName: 'web',
    role: 'member',
  })
  expect(ring.authenticate(asking({ 'x-api-key': 'key-of-acme-ops-0001' })).role).toBe('admin')
})

test('a missing, wrong or malformed key is refused without naming it', () => {
  for (const [headers, code] of [
    [{}, 'missing_key'],
    [{ authorization: 'Basic a2V5' }, 'missing_key'],
    [{ authorization: 'Bearer key-of-acme-web-0002' }, 'invalid_key'],
  ] as const) {
    expect(() => ring.authenticate(asking(headers))).toThrow(expect.objectContaining({ code, status: 401 }))
  }
  expect(() => ring.authenticate(asking({ authorization: 'Bearer s3cret-s3cret' }))).toThrow(/^(?!.*s3cret)/)
})

test('without keys everyone is the admin of one organisation', () => {
  expect(new KeyRing([]).authenticate(asking({}))).toMatchObject({ org: 'local', keyName: undefined, role: 'admin' })
})

test("a member is refused what is the admin's", () => {
  const member = ring.authenticate(asking({ 'x-api-key': 'key-of-acme-web-0001' }))
  expect(() => requireAdmin(member)).toThrow(expect.objectContaining({ code: 'forbidden', status: 403 }))
})

function asking(headers: Record<string, string>): IncomingMessage {
  return { headers } as unknown as IncomingMessage // only the headers are read
}
