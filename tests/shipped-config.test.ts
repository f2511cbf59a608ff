import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadConfig } from '../packages/gateway/src/config/load-config.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const load = (env: Record<string, string>) => loadConfig({ file: 'docker/incipit.yaml', flags: {}, env, cwd: root })

test('the configuration inside the image is valid, asks for a key, and says so when there is none', async () => {
  const config = await load({ INCIPIT_KEY: 'a-key-of-more-than-16-characters' })
  expect(config).toMatchObject({
    server: { host: '0.0.0.0' },
    dataDir: '/data',
    keys: [{ role: 'admin' }],
    warnings: [],
  })
  await expect(load({})).rejects.toThrow(
    'docker/incipit.yaml:6:12  environment variable INCIPIT_KEY is not set, or empty',
  )
})
