import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LoadedConfig } from '../config/load-config.ts'
import { loadConfig } from '../config/load-config.ts'
import { diskFinding, tierFindings, usageFindings } from './engine-findings.ts'

const mebibyte = 2 ** 20

async function aConfig(engine: Partial<LoadedConfig['engine']> = {}): Promise<LoadedConfig> {
  const config = await loadConfig({ flags: {}, env: {}, cwd: tmpdir() })
  return { ...config, engine: { ...config.engine, ...engine } }
}

test('a disk tier that is off says why; one that nobody switched off is a warning', async () => {
  const seen = await Promise.all(
    [{ enabled: false }, { diskBytes: 0 }, { ramBytes: 0, diskBytes: 1 }].map(async (engine) => {
      const { verdict, detail } = await diskFinding(await aConfig(engine))
      return [verdict, detail]
    }),
  )
  expect(seen).toEqual([
    ['ok', 'tier off: engine.enabled is false'],
    ['ok', 'tier off: engine.disk_bytes is 0'],
    ['warning', 'tier off: engine.ram_bytes is 0, and blocks reach the disk through RAM'],
  ])
})

test('what lies on the disk already is a part of the budget; what does not fit is a warning with the numbers', async () => {
  const config = { ...(await aConfig({ diskBytes: 10 * mebibyte })), dataDir: '/data' }
  const look = (free: number, blocks: number) => diskFinding(config, async () => ({ free, blocks }))
  expect(await look(6 * mebibyte, 4 * mebibyte)).toEqual({
    check: 'disk',
    verdict: 'ok',
    detail: 'tier of 10 MiB in /data/kv, 4 MiB there by now; 6 MiB free',
  })
  expect(await look(5 * mebibyte, 4 * mebibyte)).toMatchObject({
    verdict: 'warning',
    detail: expect.stringContaining('5 MiB free, 1 MiB short of its budget'),
  })
})

test('a real folder is looked at: blocks in stores count, and what is no folder is named', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'incipit-disk-finding-'))
  try {
    const config = { ...(await aConfig({ diskBytes: 1 })), dataDir }
    expect(await diskFinding(config)).toMatchObject({ detail: expect.stringContaining('0 bytes there by now') })
    mkdirSync(join(dataDir, 'kv', '0123456789abcdef'), { recursive: true })
    writeFileSync(join(dataDir, 'kv', '0123456789abcdef', 'states'), Buffer.alloc(2 ** 16, 1))
    expect(await diskFinding(config)).toMatchObject({ detail: expect.stringContaining('64 KiB there by now') })
    rmSync(join(dataDir, 'kv'), { recursive: true })
    writeFileSync(join(dataDir, 'kv'), '')
    expect(await diskFinding(config)).toMatchObject({
      verdict: 'warning',
      detail: expect.stringContaining('kv cannot be used'),
    })
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})

const demo = {
  model: 'demo',
  prefix_cache_off: null,
  hot: { bytes: mebibyte, capacity_bytes: 2 * mebibyte },
  ram: { bytes: 3 * mebibyte, capacity_bytes: 4 * mebibyte },
  disk: { off: null, store: 'a', bytes: 5 * mebibyte, capacity_bytes: 6 * mebibyte },
}
const answer = { object: 'engine', resident_bytes: mebibyte, budget_bytes: 2 * mebibyte, models: [demo] }

test('each model has a line, a shared disk is counted once, and what is off is told', () => {
  const noDisk = { bytes: 0, capacity_bytes: 0, store: null }
  const models = [
    demo,
    { ...demo, model: 'twin' },
    { ...demo, model: 'locked', disk: { ...noDisk, off: 'kv/a is in use by another process' } },
    { ...demo, model: 'plain', disk: { ...noDisk, off: 'disk_bytes is 0' } },
    { ...demo, model: 'mamba', prefix_cache_off: 'recurrent model' },
  ]
  const seen = usageFindings({ ...answer, models }, 'http://x').map(({ verdict, detail }) => `${verdict} ${detail}`)
  expect(seen).toEqual([
    'ok http://x: 1 MiB of 2 MiB resident',
    'ok demo: hot 1 MiB of 2 MiB, ram 3 MiB of 4 MiB, disk 5 MiB of 6 MiB',
    'ok twin: hot 1 MiB of 2 MiB, ram 3 MiB of 4 MiB, disk shared with demo',
    'warning locked: hot 1 MiB of 2 MiB, ram 3 MiB of 4 MiB, disk off: kv/a is in use by another process',
    'ok plain: hot 1 MiB of 2 MiB, ram 3 MiB of 4 MiB, disk off: disk_bytes is 0',
    'warning mamba: hot 1 MiB of 2 MiB, ram 3 MiB of 4 MiB, disk shared with demo, prefix cache off: recurrent model',
  ])
})

test('D-28 what a chat template does to prefixes is told of each model', () => {
  const text = 'the template prints the reasoning effort at token 8'
  const models = [
    { ...demo, template: { family: 'chatml', warnings: [] } },
    { ...demo, model: 'oss', template: { family: 'harmony', warnings: [{ text }] } },
  ]
  const seen = usageFindings({ ...answer, models }, 'http://x').map(({ check, ...rest }) => [check, rest] as const)
  expect(seen.filter(([check]) => check === 'template').map(([, found]) => found)).toEqual([
    { verdict: 'ok', detail: 'demo: chatml, prefixes stay as they are' },
    { verdict: 'warning', detail: `oss: ${text}` },
  ])
})

/** What is found where a server answers so. */
async function foundAt(status: number, body: unknown): Promise<string[]> {
  const server = createServer((request, response) => {
    response.writeHead(request.headers.authorization === 'Bearer k' ? status : 401, { connection: 'close' })
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const config = await aConfig()
    const at = { ...config, server: { ...config.server, host: '0.0.0.0', port } }
    const findings = [...(await tierFindings(at, {})), ...(await tierFindings(at, { INCIPIT_KEY: 'k' }))]
    return findings.map(({ verdict, detail }) => `${verdict} ${detail.replaceAll(String(port), 'PORT')}`)
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
}

test('a gateway that runs is asked with the key of INCIPIT_KEY, and with no other', async () => {
  expect(await foundAt(200, answer)).toEqual([
    'ok what is used is not known: the gateway at http://127.0.0.1:PORT tells an admin only; set INCIPIT_KEY',
    'ok http://127.0.0.1:PORT: 1 MiB of 2 MiB resident',
    'ok demo: hot 1 MiB of 2 MiB, ram 3 MiB of 4 MiB, disk 5 MiB of 6 MiB',
  ])
})

test('an engine that is missing is told with its reason, and something else as such', async () => {
  const missing = { error: { message: 'the engine is off: no library for this platform' } }
  expect((await foundAt(503, missing)).at(-1)).toBe(
    'warning the gateway at http://127.0.0.1:PORT answered 503: the engine is off: no library for this platform',
  )
  expect((await foundAt(200, 'hello')).at(-1)).toBe(
    'warning the gateway at http://127.0.0.1:PORT answered 200: it is none that is known here',
  )
})

test('where nobody answers, that is told and nothing is wrong', async () => {
  const [finding] = await tierFindings(await aConfig(), { INCIPIT_URL: 'http://127.0.0.1:1/' })
  expect(finding).toEqual({
    check: 'tiers',
    verdict: 'ok',
    detail: 'what is used is not known: no gateway answers at http://127.0.0.1:1',
  })
  expect(await tierFindings(await aConfig({ enabled: false }), {})).toEqual([])
})
