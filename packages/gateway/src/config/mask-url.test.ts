import { expect, test } from 'vitest'
import { configHash, maskSecrets } from './config-hash.ts'
import { isSecret } from './is-secret.ts'
import { maskStoreUrl } from './mask-url.ts'
import { parseConfig } from './schema.ts'

test.each([
  ['postgres://me:pass@db:5432/ledger', 'postgres://***@db:5432/ledger'],
  ['postgres://me:p@ss/w?rd@db/ledger?sslmode=verify-full', 'postgres://***@db/ledger'],
  ['postgresql://db/ledger?user=me&password=pass', 'postgresql://db/ledger'],
])('the URL of a store is shown without what may be a password: %s', (url, shown) => {
  expect(maskStoreUrl(url)).toBe(shown)
})

test('the password of a store is not in what is shown, and not in the hash', () => {
  const [one, other] = ['one', 'other'].map((password) => {
    const parsed = parseConfig({ store: { url: `postgres://me:${password}@db/ledger` } })
    if (parsed.kind === 'invalid') throw new Error('it is valid')
    return parsed.settings
  })
  if (one === undefined || other === undefined) throw new Error('unreachable')
  expect(JSON.stringify(maskSecrets(one))).not.toContain('one')
  expect(configHash(one)).toBe(configHash(other))
  expect(isSecret(['store', 'url'], 'mysql://me:pass@db')).toBe(true)
})
