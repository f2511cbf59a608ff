import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { adminKey, adminLine, ask } from './support/keys.ts'

const main = join(dirname(createRequire(import.meta.url).resolve('incipit')), '../dist/cli/main.js')
let server: ServerProcess

beforeAll(async () => {
  server = await startServerProcess({ config: `engine: { enabled: false }\nkeys:\n${adminLine}\n` })
})
afterAll(() => server.stop())

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function keys(args: readonly string[], key = adminKey): Promise<Run> {
  const env = { ...process.env, INCIPIT_URL: server.url, INCIPIT_KEY: key }
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'keys', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

test('a key is made, listed, rotated and revoked from the command line', async () => {
  const limits = ['--rpm', '60', '--usd-per-day', '2.5']
  const scopes = ['--models', 'gpt-*, claude-*', '--endpoints', 'data']
  const made = await keys(['create', '--name', 'cli', '--org', 'acme', '--expires', '30d', ...scopes, ...limits])
  expect(made).toMatchObject({ code: 0, stderr: '' })
  const [secret = ''] = made.stdout.split('\n')
  expect(secret).toMatch(/^inc_[0-9A-Za-z]{49}$/)
  expect((await ask(server, '/key/info', { key: secret })).json['info']).toMatchObject({
    key_alias: 'cli',
    rpm_limit: 60,
  })
  const listed = JSON.parse((await keys(['list', '--json'])).stdout) as { data: { id: string; name: string }[] }
  expect(listed.data).toMatchObject([
    { name: 'admin', source: 'config' },
    { name: 'cli', scopes: { models: ['gpt-*', 'claude-*'], endpoints: ['data'] }, limits: { usd_per_day: 2.5 } },
  ])
  const id = listed.data[1]?.id ?? ''
  const shown = await keys(['list'])
  expect(shown.stdout).toMatch(/^ID +NAME +ORGANISATION/)
  expect(shown.stdout).not.toContain(secret)
  const rotated = JSON.parse((await keys(['rotate', id, '--json'])).stdout) as { key: string }
  expect((await ask(server, '/key/info', { key: secret })).status).toBe(401)
  expect((await ask(server, '/key/info', { key: rotated.key })).status).toBe(200)
  expect(await keys(['revoke', id])).toMatchObject({ code: 0, stdout: `revoked: cli (${id})\n` })
  expect((await ask(server, '/key/info', { key: rotated.key })).status).toBe(401)
})

test('what goes wrong is said in a line: no key, no gateway, a wrong id, a wrong flag', async () => {
  const said = async (args: readonly string[], key?: string): Promise<unknown> => {
    const { code, stdout, stderr } = await keys(args, key)
    return [code, stdout, stderr]
  }
  expect(await said(['list'], '')).toEqual([1, '', expect.stringContaining('answered 401')])
  expect(await said(['list', '--url', 'http://127.0.0.1:1'])).toEqual([
    1,
    '',
    expect.stringContaining('cannot be asked'),
  ])
  expect(await said(['revoke', 'key_0'])).toEqual([1, '', expect.stringContaining('there is no key with this id')])
  expect(await said(['create', '--name', 'x', '--org', 'o', '--rpm', 'many'])).toEqual([
    1,
    '',
    expect.stringContaining('it must be a number'),
  ])
})
