import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { ServerOptions, ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { chatStream, startRecordingUpstream } from './support/recording-upstream.ts'

let server: ServerProcess | undefined
afterEach(async () => {
  await server?.stop()
  server = undefined
})

const oldKey = 'old-key-of-the-gateway'
const newKey = 'new-key-of-the-gateway'
const keys = (key: string, more = ''): string => `keys: [{ key: ${key}, org: acme, name: web, role: admin }]\n${more}`

interface ConfigStatus {
  readonly outcome?: string
  readonly generation: number
  readonly hash: string
  readonly takes_effect_after_restart: readonly string[]
  readonly error: { readonly at: string; readonly message: string } | null
}

async function start(options: ServerOptions): Promise<ServerProcess> {
  server = await startServerProcess(options)
  return server
}

function ask(path: string, key: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return fetch(`${server?.url}${path}`, { ...init, headers })
}

const statusCode = async (path: string, key: string): Promise<number> => (await ask(path, key)).status

const statusOf = async (key: string): Promise<ConfigStatus> =>
  (await (await ask('/v1/config/status', key)).json()) as ConfigStatus

async function chat(key: string): Promise<number> {
  const body = JSON.stringify({ model: 'demo', max_tokens: 2, messages: [{ role: 'user', content: 'Hello' }] })
  const response = await ask('/v1/chat/completions', key, { method: 'POST', body })
  await response.text()
  return response.status
}

test('a rewritten file is in effect without a restart: new keys work, old ones do not, rows carry the generation', async () => {
  const { dataDir } = await start({ config: keys(oldKey) })
  expect(await chat(oldKey)).toBe(200)
  const before = await statusOf(oldKey)
  expect(before).toMatchObject({ generation: 1, error: null })

  await writeFile(join(dataDir, 'incipit.yaml'), keys(newKey, 'strict_models: true'))
  await expect.poll(() => statusCode('/v1/config/status', newKey)).toBe(200)
  expect(await statusCode('/v1/config/status', oldKey)).toBe(401)
  expect(await chat(oldKey)).toBe(401)
  expect(await chat(newKey)).toBe(200)

  const after = await statusOf(newKey)
  expect(after.generation).toBe(2)
  expect(after.hash).not.toBe(before.hash)
  const { data } = (await (await ask('/v1/events?fields=config_generation,config_hash', newKey)).json()) as {
    data: unknown[]
  }
  expect(data).toEqual([
    { config_generation: 2, config_hash: after.hash },
    { config_generation: 1, config_hash: before.hash },
  ])
  expect(await (await ask('/metrics', newKey)).text()).toMatch(/^incipit_config_generation 2$/m)
})

test('a broken file leaves the old configuration in effect, and status, metrics and log say where it is broken', async () => {
  const { dataDir, output } = await start({ config: keys(oldKey, 'engine: { enabled: false }') })
  await writeFile(join(dataDir, 'incipit.yaml'), keys(newKey, 'engine: { enabled: false }\nserver: { prot: 1 }'))
  await expect.poll(async () => (await statusOf(oldKey)).error?.message).toContain('incipit.yaml:3:11  server.prot')
  expect(await statusOf(oldKey)).toMatchObject({ generation: 1 })
  expect(await statusCode('/v1/config/status', newKey)).toBe(401)
  expect(output()).toContain('the old one stays in effect')
  const metrics = await (await ask('/metrics', oldKey)).text()
  expect(metrics).toMatch(/^incipit_config_reload_failures_total [1-9]/m)
  expect(metrics).toMatch(/^incipit_config_last_failed_reload_timestamp_seconds 1\d{9}(\.\d+)?$/m)

  await writeFile(join(dataDir, 'incipit.yaml'), keys(newKey, 'engine: { enabled: false }'))
  await expect.poll(() => statusCode('/v1/config/status', newKey)).toBe(200)
  expect(await statusOf(newKey)).toMatchObject({ generation: 2, error: null })
})

test('a swapped symlink, as Kubernetes mounts configurations, is a changed file', async () => {
  const mount = await mkdtemp(join(tmpdir(), 'incipit-mount-'))
  for (const [version, key] of [
    ['v1', oldKey],
    ['v2', newKey],
  ] as const) {
    await mkdir(join(mount, version))
    await writeFile(join(mount, version, 'incipit.yaml'), keys(key, 'engine: { enabled: false }'))
  }
  await symlink('v1', join(mount, '..data'))
  await symlink('..data/incipit.yaml', join(mount, 'incipit.yaml'))
  await start({ flags: ['--config', join(mount, 'incipit.yaml')] })
  expect(await statusCode('/v1/config/status', oldKey)).toBe(200)

  await symlink('v2', join(mount, '..next'))
  await rename(join(mount, '..next'), join(mount, '..data'))
  await expect.poll(() => statusCode('/v1/config/status', newKey)).toBe(200)
  await rm(mount, { recursive: true })
})

test('SIGHUP has the configuration read and does not end the server', async () => {
  const { pid, output } = await start({
    config: keys(oldKey, 'engine: { enabled: false }'),
    flags: ['--log-level', 'debug'],
  })
  process.kill(pid, 'SIGHUP')
  await expect.poll(output).toMatch(/"cause":"signal".*has not changed/)
  expect(await statusOf(oldKey)).toMatchObject({ generation: 1 })
})

test('POST /admin/reload answers with what is in effect now, to admins only', async () => {
  const member = `  - { key: key-of-a-member, org: acme, name: app }`
  const yaml = (port: string): string =>
    `keys:\n  - { key: ${oldKey}, org: acme, name: web, role: admin }\n${member}\nengine: { enabled: false }\n${port}`
  const { dataDir } = await start({ config: yaml('') })
  const reload = (key: string): Promise<Response> => ask('/admin/reload', key, { method: 'POST' })
  expect((await reload('key-of-a-member')).status).toBe(403)
  expect((await reload('nobody')).status).toBe(401)

  const file = join(dataDir, 'incipit.yaml')
  await writeFile(file, yaml('store: { url: null }\ndata_dir: elsewhere\nengine: { enabled: true }'))
  const broken = await reload(oldKey)
  expect(broken.status).toBe(422)
  expect(await broken.json()).toMatchObject({
    outcome: 'refused',
    generation: 1,
    error: { message: expect.stringContaining('Map keys must be unique') },
  })

  await writeFile(file, yaml('server: { max_header_bytes: 64KiB, max_body_bytes: 10 }\nsecret: 0123456789abcdef'))
  const waiting = await reload(oldKey)
  expect(waiting.status).toBe(200)
  expect(await waiting.json()).toMatchObject({
    generation: 2,
    takes_effect_after_restart: ['server.max_header_bytes', 'secret'],
    error: null,
  })
  const body = JSON.stringify({ model: 'demo' })
  expect((await ask('/v1/chat/completions', oldKey, { method: 'POST', body })).status).toBe(413)
})

test('an answer that began before a change ends as it began, in the generation it began with', async () => {
  const upstream = await startRecordingUpstream()
  const half = chatStream.indexOf('data: ', 200)
  let finish = (): void => undefined
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chatStream.slice(0, half))
    finish = () => void response.end(chatStream.slice(half))
  }
  const behind = `upstreams: [{ name: behind, kind: openai, base_url: "${upstream.url}", api_key: sk, models: ["*"] }]`
  try {
    const { dataDir } = await start({ config: keys(oldKey, behind) })
    const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
    const response = await ask('/v1/chat/completions', oldKey, { method: 'POST', body })
    await writeFile(join(dataDir, 'incipit.yaml'), keys(newKey))
    expect((await ask('/admin/reload', oldKey, { method: 'POST' })).status).toBe(200)
    expect(await statusOf(newKey)).toMatchObject({ generation: 2 })
    finish()
    expect(await response.text()).toMatch(/"content":"ok".*\[DONE\]\n\n$/s)
    const events = await ask('/v1/events?fields=config_generation,status', newKey)
    expect(await events.json()).toMatchObject({ data: [{ config_generation: 1, status: 200 }] })
  } finally {
    await upstream.close()
  }
})
