import { epochMs, milliseconds } from '@incipit/core'
import type { IncomingMessage } from 'node:http'
import pino from 'pino'
import { expect, test } from 'vitest'
import { openKeyBook } from '../keys/key-book.ts'
import type { KeyStore } from '../keys/key-store.ts'
import { mintKey } from '../keys/key-text.ts'
import { SqlError } from '../ledger/sql-error.ts'
import { systemClock } from '../ports/clock.ts'
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

test('while the store of virtual keys has not answered once, a whole key is not called unknown', async () => {
  const silent: KeyStore = {
    changes: () => Promise.reject(new SqlError('unreachable', 'the database cannot be reached')),
    insert: unasked,
    replace: unasked,
    revoke: unasked,
    noteUse: unasked,
    close: async () => undefined,
  }
  const book = await openKeyBook({ store: silent, clock: systemClock, log: pino({ level: 'silent' }) })
  const waiting = new KeyRing([{ key: 'key-of-acme-web-0001', org: 'acme', name: 'web', role: 'member' }], { book })
  const refusalOf = (key: string): unknown => {
    try {
      return waiting.authenticate(asking({ 'x-api-key': key }), 'data')
    } catch (error) {
      return error
    }
  }
  const key = mintKey()
  expect(refusalOf(key)).toMatchObject({ code: 'store_unavailable', status: 503 })
  expect(refusalOf(`${key}x`)).toMatchObject({ code: 'invalid_key', message: expect.stringContaining('mistyped') })
  expect(refusalOf('key-of-acme-web-0001')).toMatchObject({ org: 'acme' })
  await book.close()
})

test('a key ends at its instant, by the clock of the gateway', () => {
  const clock = { at: Date.UTC(2027, 0, 1) - 1, now: () => epochMs(clock.at), monotonic: () => milliseconds(0) }
  const entry = { key: 'key-of-acme-web-0001', org: 'acme', name: 'web', role: 'member' } as const
  const ending = new KeyRing([{ ...entry, expires: Date.UTC(2027, 0, 1) }], { clock })
  const ask = (): unknown => ending.authenticate(asking({ 'x-api-key': entry.key }))
  expect(ask()).toMatchObject({ org: 'acme' })
  clock.at += 1
  expect(ask).toThrow(expect.objectContaining({ code: 'expired_key', message: expect.stringContaining('2027-01-01T') }))
})

function unasked(): Promise<never> {
  throw new Error('nobody asks this')
}

function asking(headers: Record<string, string>): IncomingMessage {
  return { headers } as unknown as IncomingMessage // only the headers are read
}
