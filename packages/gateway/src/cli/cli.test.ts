import { compiledEntry } from '@incipit/core'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { startPglite } from '../ledger/testing/pglite-server.ts'

const main = fileURLToPath(compiledEntry(import.meta.url, './main.js'))
let cwd: string

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'incipit-cli-'))
})

afterEach(() => rm(cwd, { recursive: true, force: true }))

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function start(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): {
  child: ChildProcess
  output: { stdout: string; stderr: string }
  ended: Promise<Run>
} {
  // Whoever runs the tests may have keys of providers in their environment.
  const env = { ...process.env, INCIPIT_DISCOVERY: 'off', ...more }
  const child = spawn(process.execPath, [main, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => void (output.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => void (output.stderr += chunk.toString()))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...output }))
  return { child, output, ended }
}

const run = (...args: readonly string[]): Promise<Run> => start(args).ended

test('init writes a configuration that check accepts and that changes nothing, and does not replace it unasked', async () => {
  const before = await run('check', '--json')
  expect(await run('init')).toMatchObject({ code: 0, stderr: '' })
  expect(await readFile(join(cwd, 'incipit.yaml'), 'utf8')).toMatch(
    /^# yaml-language-server: \$schema=\S+incipit\.schema\.json\n/,
  )
  const after = await run('check', '--json')
  expect(JSON.parse(after.stdout)).toMatchObject({
    valid: true,
    hash: (JSON.parse(before.stdout) as { hash: string }).hash,
  })

  expect(await run('init')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'incipit.yaml is already there; --force replaces it\n',
  })
  expect(await run('init', '--force')).toMatchObject({ code: 0 })
})

test('every line that init comments out is a valid setting at its default', async () => {
  await run('init')
  const file = join(cwd, 'incipit.yaml')
  const commented = await readFile(file, 'utf8')
  const plain = await run('check', '--json')
  await writeFile(
    file,
    commented.replaceAll(/^# (?=[ a-z])(?!yaml-)/gm, '').replace(/^(keys|orgs|secret|upstreams):.*\n( .*\n)*/gm, ''),
  )
  const filled = await run('check', '--json')
  expect(filled.stderr).toBe('')
  expect(JSON.parse(filled.stdout)).toEqual(JSON.parse(plain.stdout))
})

test('the upstreams that init comments out are valid', async () => {
  await run('init')
  const file = join(cwd, 'incipit.yaml')
  const [section = ''] = /^# upstreams:.*\n(#.*\n)*/m.exec(await readFile(file, 'utf8')) ?? []
  await writeFile(file, section.replaceAll(/^# /gm, ''))
  const { stderr, stdout } = await start(['check', '--json'], { ANTHROPIC_API_KEY: 'secret-of-anthropic' }).ended
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toMatchObject({ config: { upstreams: [{ name: 'claude' }, { name: 'fleet' }] } })
})

test('check tells upstreams of the environment and their variables, keeps names as written and shows no key', async () => {
  const env = { INCIPIT_DISCOVERY: 'on', ANTHROPIC_API_KEY: 'secret-of-anthropic' }
  const plain = await start(['check'], env).ended
  expect(plain.stdout).toContain('# upstream anthropic found by ANTHROPIC_API_KEY\n')
  expect(plain.stdout).not.toContain('secret-of-anthropic')
  expect(JSON.parse((await start(['check', '--json'], env).ended).stdout)).toMatchObject({
    discovered: [{ name: 'anthropic', kind: 'anthropic', variables: ['ANTHROPIC_API_KEY'] }],
    config: { upstreams: [{ name: 'anthropic', api_key: '***', models: ['claude-*'] }] },
  })
  await writeFile(
    join(cwd, 'incipit.yaml'),
    'upstreams: [{ name: a, kind: vllm, base_url: "http://u:PASSWORD@h", org_keys: { AcmeCo: TOKEN }, model_names: { aB: cD } }]',
  )
  const { stdout } = await run('check')
  expect(stdout).not.toMatch(/PASSWORD|TOKEN/)
  expect(parse(stdout)).toMatchObject({
    upstreams: [{ base_url: 'http://***@h', org_keys: { AcmeCo: '***' }, model_names: { aB: 'cD' } }],
  })
})

test('check prints what is in effect in the names of the file, with secrets masked', async () => {
  await writeFile(
    join(cwd, 'incipit.yaml'),
    'secret: top-secret-0123456789\nkeys: [{ key: short-key, org: acme, name: web }]',
  )
  const { code, stdout, stderr } = await run('check', '--port', '5000')
  expect(code).toBe(0)
  expect(stderr).toBe('warning: key "web" has 9 characters; at least 16 are advised\n')
  expect(parse(stdout)).toMatchObject({
    secret: '***',
    keys: [{ key: '***', org: 'acme' }],
    server: { port: 5000, max_body_bytes: 33_554_432 },
  })
  expect(stdout).not.toMatch(/top-secret|short-key/)
})

test('a configuration that cannot be used ends check and serve with 1 and no stack trace', async () => {
  await writeFile(join(cwd, 'incipit.yaml'), 'server: { prot: 1 }')
  for (const command of ['check', 'serve', 'doctor']) {
    const { code, stderr } = await run(command)
    expect(code).toBe(1)
    expect(stderr).toBe(
      'incipit.yaml cannot be used, 1 problem:\n  incipit.yaml:1:11  server.prot: unknown key; did you mean "port"?\n',
    )
  }
})

test('doctor reports every check, and as JSON', async () => {
  // Whoever runs the tests may have a gateway running.
  const { code, stdout } = await start(['doctor', '--json'], { INCIPIT_URL: 'http://127.0.0.1:1' }).ended
  const report = JSON.parse(stdout) as {
    healthy: boolean
    findings: { check: string; verdict: string; detail: string }[]
  }
  expect(report.findings.map(({ check }) => check)).toEqual([
    'node',
    'platform',
    'config',
    'data_dir',
    'engine',
    'models',
    'memory',
    'disk',
    'tiers',
    'store',
  ])
  expect(code).toBe(report.healthy ? 0 : 1)
  const missing = await run('doctor', '--model', 'missing.gguf')
  expect(missing).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/failed +models +missing: .*missing\.gguf is not a file/),
  })
})

test('doctor asks the database of the ledger, makes nothing in it, and tells no password', async () => {
  const storeAt = async (url: string): Promise<string | undefined> => {
    await writeFile(join(cwd, 'incipit.yaml'), `store: { url: '${url}' }`)
    return /^.* store .*$/m.exec((await run('doctor')).stdout)?.[0]
  }
  const server = await startPglite()
  try {
    expect(await storeAt(server.url)).toMatch(/^ok +store +postgres:\/\/\*\*\*@127\.0\.0\.1:\d+\/postgres reached$/)
    const { rows } = await server.database.query("SELECT to_regnamespace('incipit')::text AS found")
    expect(rows).toEqual([{ found: null }])
    await server.database.exec('CREATE ROLE other; CREATE SCHEMA incipit; SET ROLE other')
    expect(await storeAt(server.url)).toMatch(/^failed +store .*the role must own the schema "incipit"/)
  } finally {
    await server.close()
  }
  const away = await storeAt('postgres://me:secret@127.0.0.1:1/ledger')
  expect(away).toMatch(/^failed +store .*cannot be reached/)
  expect(away).not.toContain('secret')
  // PostgreSQL in this process, and three processes: minutes on a machine that is busy.
}, 300_000)

test('an unknown flag or command is refused with a hint, help and version are not', async () => {
  expect(await run('--prot', '1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("unknown option '--prot'"),
  })
  expect(await run('--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  expect(await run('serve', '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--test-clock') })
  const { stdout } = await run('--help')
  for (const flag of ['--model', '--port', '--data-dir', '--test-clock']) expect(stdout).toMatch(`\n  ${flag} `)
})

test('a word that names no command is called that, and not an argument too many', async () => {
  const hint = '(incipit --help shows what is possible)\n'
  expect(await run('nonsense', '--port', '0')).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: unknown command "nonsense"; the commands are serve, init, check, doctor, keys, price, emulate, bench, simulate\n${hint}`,
  })
  expect(await run('serve', 'nonsense')).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: serve takes flags only, got "nonsense"\n${hint}`,
  })
})

test('a data directory that cannot be used is named, with the reason and the way out', async () => {
  await writeFile(join(cwd, 'file'), '')
  const refusal = (folder: string, why: string): string =>
    `the data directory ${join(cwd, folder)} cannot be used: ${why}; --data-dir or data_dir chooses another\n`
  expect(await run('--data-dir', 'file', '--port', '0', '--log-level', 'error')).toEqual({
    code: 1,
    stdout: '',
    stderr: refusal('file', 'it is not a folder'),
  })
  expect(await run('--data-dir', 'file/below', '--port', '0', '--log-level', 'error')).toMatchObject({
    code: 1,
    stderr: refusal('file/below', 'a part of its path is not a folder'),
  })
})

test('serve says when its port is taken, and ends with 1', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const { code, stderr } = await run('serve', '--port', String(port), '--log-level', 'error')
  other.close()
  expect(stderr).toBe(`port ${port} is in use: stop the other program, or choose another with --port\n`)
  expect(code).toBe(1)
})

test('serve prints a ready line, answers, and ends with 0 on SIGTERM', async () => {
  const { child, output, ended } = start(['--port', '0', '--json', '--log-level', 'error'])
  await expect.poll(() => output.stdout, { timeout: 30_000 }).toContain('"event":"ready"')
  const { url, models } = JSON.parse(output.stdout) as { url: string; models: string[] }
  expect(models).toEqual(['demo'])
  expect((await fetch(`${url}/health/liveness`)).status).toBe(200)
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
})

test('emulate prints a ready line, plays the provider, and ends with 0 on SIGTERM', async () => {
  const { child, output, ended } = start(['emulate', 'anthropic', '--port', '0', '--json', '--key', 'secret=acme'])
  await expect.poll(() => output.stdout, { timeout: 30_000 }).toContain('"event":"ready"')
  const { url, kind } = JSON.parse(output.stdout) as { url: string; kind: string }
  expect(kind).toBe('anthropic')
  const ask = (key: string): Promise<Response> =>
    fetch(`${url}/v1/models`, { headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01' } })
  expect((await ask('other')).status).toBe(401)
  expect((await ask('secret')).headers.get('anthropic-organization-id')).toBe('acme')
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0, stderr: '' })
})

test('emulate names the providers it knows and the numbers it takes', async () => {
  expect(await run('emulate', 'nobody')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Allowed choices are anthropic, openai, fireworks, workers-ai, vllm.'),
  })
  expect(await run('emulate', 'vllm', '--port', 'x')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--port must be a whole number from 0 to 65535, got "x"'),
  })
})

test('P-4 M-6 price shows, compares and plans with the prices of the configuration', async () => {
  await writeFile(join(cwd, 'incipit.yaml'), 'prices: { file: prices.yaml }')
  await writeFile(
    join(cwd, 'prices.yaml'),
    'prices: [{ provider: openai, model: gpt-4o, input: 2, read: 1, output: 8 }]',
  )
  expect(await run('price', 'show', 'gpt-4o')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\* {2}openai {4}gpt-4o +2 +1 +- +8 .* operator /m),
  })
  expect(await run('price', 'diff')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^openai +gpt-4o +input +2 +2\.5 +2\.5$/m),
  })
  const flags = ['--provider', 'anthropic', '--model', 'claude-sonnet-4.6', '--tokens', '10000', '--requests', '100']
  const planned = await run('price', 'plan', ...flags, '--json')
  expect(JSON.parse(planned.stdout)).toMatchObject({ verdict: 'cache', best: { ttl: '5m', cost_usd: 0.3345 } })
  expect(await run('price', 'plan', ...flags, '--at', 'yesterday')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('at must be a day as YYYY-MM-DD'),
  })
})
