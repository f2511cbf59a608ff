import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LoadedConfig } from './load-config.ts'
import { loadConfig } from './load-config.ts'
import type { ReloadPorts, ReloadResult } from './reload-config.ts'
import { ConfigReloader } from './reload-config.ts'

let cwd: string
let applied: LoadedConfig[]
let told: ReloadResult[]

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'incipit-reload-'))
  applied = []
  told = []
})

afterEach(() => rm(cwd, { recursive: true, force: true }))

const write = (yaml: string): Promise<void> => writeFile(join(cwd, 'incipit.yaml'), yaml)
const load = (file?: string): Promise<LoadedConfig> => loadConfig({ file, flags: {}, env: {}, cwd })

async function running(yaml: string, ports: Partial<ReloadPorts> = {}): Promise<ConfigReloader> {
  await write(yaml)
  return new ConfigReloader(await load(), {
    load,
    apply: (config) => void applied.push(config),
    onResult: (result) => void told.push(result),
    ...ports,
  })
}

const keys = (key: string): string => `keys: [{ key: ${key.repeat(16)}, org: acme, name: web }]\n`

test('an accepted change is another generation with another hash, and the same text is none', async () => {
  const reloader = await running(keys('a'))
  const first = reloader.config
  expect(await reloader.reload('file')).toMatchObject({ kind: 'unchanged', config: { generation: 1 } })
  await write(`${keys('a')}strict_models: true`)
  expect(await reloader.reload('file')).toMatchObject({ kind: 'applied', config: { generation: 2 }, needRestart: [] })
  expect(reloader.config.hash).not.toBe(first.hash)
  expect(reloader.config.strictModels).toBe(true)
  await write(`# only a comment\n${keys('a')}strict_models: true`)
  expect(await reloader.reload('file')).toMatchObject({ kind: 'unchanged', config: { generation: 2 } })
  expect(applied).toEqual([reloader.config])
  expect(told.map(({ kind }) => kind)).toEqual(['unchanged', 'applied', 'unchanged'])
})

test('another secret is a change, though the hash never depends on it', async () => {
  const reloader = await running(keys('a'))
  const { hash } = reloader.config
  await write(keys('b'))
  expect(await reloader.reload('file')).toMatchObject({ kind: 'applied', config: { generation: 2, hash } })
  expect(applied[0]?.keys[0]?.key).toBe('b'.repeat(16))
})

test.each([
  ['does not parse', 'keys: ['],
  ['has an unknown key', `${keys('b')}serve: 1`],
  ['is empty', ''],
  ['holds spaces only', ' \n\n'],
])('a file that %s leaves the old configuration in effect, and says why', async (_, yaml) => {
  const reloader = await running(keys('a'))
  const before = reloader.config
  await write(yaml)
  const result = await reloader.reload('file')
  expect(result).toMatchObject({ kind: 'refused', error: expect.stringContaining('incipit.yaml') })
  expect(reloader.config).toBe(before)
  expect(applied).toEqual([])
})

test('a file that is gone does not open a gateway that had keys', async () => {
  const reloader = await running(keys('a'))
  await rm(join(cwd, 'incipit.yaml'))
  const error = 'incipit.yaml cannot be read: it does not exist'
  expect(await reloader.reload('file')).toMatchObject({ kind: 'refused', error })
  expect(reloader.config.keys).toHaveLength(1)
})

test('a gateway that began without a file takes one that appears', async () => {
  const reloader = new ConfigReloader(await load(), { load, apply: () => undefined, onResult: () => undefined })
  await write(keys('a'))
  const result = await reloader.reload('file')
  expect(result).toMatchObject({ kind: 'applied', config: { file: join(cwd, 'incipit.yaml'), generation: 2 } })
})

test('what only a start can set keeps its value and is named, and the rest is applied', async () => {
  const reloader = await running('')
  const { server, engine, dataDir, telemetry } = reloader.config
  await write(
    'server: { port: 5000, max_body_bytes: 1MiB }\ndata_dir: other\nengine: { ram_bytes: 1GiB, models: [] }\ntelemetry: { org_label: true, vllm_names: true }',
  )
  expect(await reloader.reload('file')).toMatchObject({
    kind: 'applied',
    needRestart: [
      'server.port',
      'data_dir',
      'engine.ram_bytes',
      'engine.models',
      'telemetry.org_label',
      'telemetry.vllm_names',
    ],
  })
  expect(reloader.config).toMatchObject({ engine, dataDir, telemetry, server: { ...server, maxBodyBytes: 1_048_576 } })
})

test('settings that all wait for a restart make no generation', async () => {
  const reloader = await running('')
  await write('server: { port: 5000 }')
  const expected = { kind: 'unchanged', needRestart: ['server.port'], config: { generation: 1 } }
  expect(await reloader.reload('file')).toMatchObject(expected)
})

test('the hash is that of what is in effect: the same as after a start without what waits', async () => {
  const reloader = await running('')
  await write('strict_models: true')
  const { hash } = await load()
  await write('strict_models: true\nserver: { port: 5000 }')
  await reloader.reload('file')
  expect(reloader.config.hash).toBe(hash)
})

test('F-7 keys that go together with an open address are not dropped while that stays open until a restart', async () => {
  const reloader = await running(`server: { host: 0.0.0.0 }\n${keys('a')}`)
  await write('server: { host: 127.0.0.1 }')
  const result = await reloader.reload('file')
  expect(result).toMatchObject({ kind: 'refused', error: expect.stringContaining('server.host: "0.0.0.0" can be') })
  expect(reloader.config.keys).toHaveLength(1)
})

test('a configuration that cannot be put into effect is refused as a whole', async () => {
  const reloader = await running('', {
    apply: () => {
      throw new Error('no such certificate')
    },
  })
  await write('strict_models: true')
  expect(await reloader.reload('file')).toMatchObject({ kind: 'refused', error: 'no such certificate' })
  expect(reloader.config).toMatchObject({ strictModels: false, generation: 1 })
})

test('readings never overlap: many at once make one generation for each change', async () => {
  let inside = 0
  let most = 0
  const reloader = await running('', {
    load: async (file) => {
      most = Math.max(most, ++inside)
      const config = await load(file)
      inside -= 1
      return config
    },
  })
  await write('strict_models: true')
  const results = await Promise.all(Array.from({ length: 10 }, () => reloader.reload('request')))
  expect(results.map(({ kind }) => kind)).toEqual(['applied', ...Array.from({ length: 9 }, () => 'unchanged')])
  expect(most).toBe(1)
  expect(reloader.config.generation).toBe(2)
})

test('a changed price file is a change of the configuration; a broken one leaves the old prices in effect', async () => {
  const price = (input: number): string => `prices: [{ provider: openai, model: gpt-4o, input: ${input}, output: 8 }]`
  await writeFile(join(cwd, 'prices.yaml'), price(2))
  const reloader = await running(`${keys('a')}prices: { file: prices.yaml }`)
  const { hash } = reloader.config
  expect(reloader.config.prices).toMatchObject({ file: join(cwd, 'prices.yaml'), rows: [{ input: '2' }] })
  await writeFile(join(cwd, 'prices.yaml'), price(3))
  expect(await reloader.reload('file')).toMatchObject({ kind: 'applied', needRestart: [] })
  expect(reloader.config.prices.rows).toMatchObject([{ input: '3' }])
  expect(reloader.config.hash).not.toBe(hash)
  await writeFile(join(cwd, 'prices.yaml'), price(-1))
  const error = expect.stringContaining('prices.yaml:1:45  prices[0].input: found -1')
  expect(await reloader.reload('file')).toMatchObject({ kind: 'refused', error })
  await rm(join(cwd, 'prices.yaml'))
  const gone = 'prices.file cannot be used, 1 problem:\n  prices.yaml cannot be read: it does not exist'
  expect(await reloader.reload('file')).toMatchObject({ kind: 'refused', error: gone })
  expect(reloader.config.prices.rows).toMatchObject([{ input: '3' }])
})

test('prices for an upstream that is not configured deserve a look', async () => {
  await writeFile(join(cwd, 'prices.yaml'), 'prices: [{ upstream: fleat, model: "*", input: 1, output: 2 }]')
  const reloader = await running('prices: { file: prices.yaml }')
  expect(reloader.config.warnings).toContain('prices.file has prices for the upstream fleat, which is not configured')
})
