import { expect, test } from 'vitest'
import { emulatorKinds } from '../emulate/index.ts'
import { renderEmulatorBanner } from './emulator-banner.ts'

test.each(emulatorKinds)('the banner of %s names base URL, what to export and a request that works', (kind) => {
  const banner = renderEmulatorBanner({ kind, url: 'http://127.0.0.1:4142', keys: [], colours: false })
  expect(banner).toMatch(/Base URL +http:\/\/127\.0\.0\.1:4142/)
  expect(banner).toMatch(/export [A-Z]+_BASE_URL=http:\/\/127\.0\.0\.1:4142/)
  expect(banner).toMatch(/export [A-Z]+_API_KEY=test/)
  expect(banner).toMatch(/curl http:\/\/127\.0\.0\.1:4142\/\S+ -H '.*' \\\n +-d '\{.*\}'/)
})

test('a key that was given is not printed', () => {
  const banner = renderEmulatorBanner({ kind: 'openai', url: 'http://127.0.0.1:1', keys: ['real-key'], colours: false })
  expect(banner).not.toContain('real-key')
  expect(banner).toContain('YOUR_KEY')
})
