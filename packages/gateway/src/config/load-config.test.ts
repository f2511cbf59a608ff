import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import type { ConfigSources, LoadedConfig } from './load-config.ts'
import { loadConfig } from './load-config.ts'

let cwd: string

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'incipit-config-'))
})

afterEach(() => rm(cwd, { recursive: true, force: true }))

async function load(yaml?: string, sources: Partial<ConfigSources> = {}): Promise<LoadedConfig> {
  if (yaml !== undefined) await writeFile(join(cwd, 'incipit.yaml'), yaml)
  return loadConfig({ flags: {}, env: {}, cwd, ...sources })
}

async function refusalOf(yaml?: string, sources: Partial<ConfigSources> = {}): Promise<string> {
  const error = await load(yaml, sources).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).message
}

describe('defaults', () => {
  test('CF-2 nothing configured gives loopback, the demo model and a prefix cache', async () => {
    const config = await load()
    expect(config).toMatchObject({ generation: 1, file: undefined, warnings: [], keys: [], strictModels: false })
    expect(config.server).toMatchObject({
      host: '127.0.0.1',
      port: 4141,
      maxBodyBytes: 33_554_432,
      shutdownSeconds: 60,
    })
    expect(config.dataDir).toBe(join(cwd, '.incipit'))
    expect(config.engine.models).toMatchObject([{ name: 'demo', path: 'builtin:demo', instances: 1 }])
    expect(config.engine.models[0]?.aliases).toContain('@cf/*')
    expect(config.engine).toMatchObject({
      ramBytes: 2_147_483_648,
      diskBytes: 10_737_418_240,
      minCachedTokens: 16,
      threads: 'auto',
      hotBytes: 'auto',
    })
  })

  test('an empty file, and sections with everything commented out, count as left out', async () => {
    const empty = await load('')
    const hollow = await load('# yaml-language-server: $schema=x\nserver:\n  # port: 1\nstore: { url: null }\n')
    expect(hollow.hash).toBe(empty.hash)
  })
})

describe('precedence', () => {
  const yaml =
    'server: { port: 1000, host: 127.0.0.2 }\ndata_dir: from-file\nengine: { models: [{ name: a, path: a.gguf }] }'

  test('flags win over the environment, that over the file, that over the defaults', async () => {
    const env = { INCIPIT_PORT: '2000', INCIPIT_DATA_DIR: 'from-env' }
    expect((await load(yaml)).server).toMatchObject({ port: 1000, host: '127.0.0.2', maxConnections: 10_000 })
    expect((await load(yaml, { env })).server.port).toBe(2000)
    const config = await load(yaml, { env, flags: { port: '3000', dataDir: 'from-flag' } })
    expect(config).toMatchObject({ server: { port: 3000, host: '127.0.0.2' }, dataDir: join(cwd, 'from-flag') })
  })

  test('paths of the file are relative to it, paths of flags to the working directory', async () => {
    await writeFile(join(cwd, 'elsewhere.yaml'), yaml)
    const inner = join(cwd, 'inner')
    const fromFile = await loadConfig({ file: '../elsewhere.yaml', flags: {}, env: {}, cwd: inner })
    expect(fromFile.dataDir).toBe(join(cwd, 'from-file'))
    expect(fromFile.engine.models[0]?.path).toBe(join(cwd, 'a.gguf'))
    const flags = { model: ['builtin:demo', 'qwen=b.gguf', './c=d.gguf'] }
    const fromFlags = await loadConfig({ file: '../elsewhere.yaml', flags, env: {}, cwd: inner })
    expect(fromFlags.engine.models.map(({ name, path }) => [name, path])).toEqual([
      ['demo', 'builtin:demo'],
      ['qwen', join(inner, 'b.gguf')],
      ['c=d', join(inner, 'c=d.gguf')],
    ])
  })

  test('a wrong flag is named as the flag', async () => {
    expect(await refusalOf(undefined, { flags: { port: 'abc' } })).toContain(
      '--port  server.port: found "abc", allowed: a whole number from 0 to 65535',
    )
    expect(await refusalOf(undefined, { env: { INCIPIT_PORT: '70000' } })).toContain(
      'INCIPIT_PORT  server.port: found 70000',
    )
  })

  test('what a flag or variable got wrong is not blamed on the file', async () => {
    const fine = 'server: { port: 4141 }'
    const header = (message: string): string | undefined => message.split('\n')[0]
    expect(header(await refusalOf(fine, { flags: { port: 'abc' } }))).toBe(
      'the configuration cannot be used, 1 problem:',
    )
    expect(header(await refusalOf(fine, { env: { INCIPIT_HOST: '0.0.0.0' } }))).toBe(
      'the configuration cannot be used, 1 problem:',
    )
    expect(header(await refusalOf('server: { prot: 1 }', { flags: { port: '1' } }))).toBe(
      'incipit.yaml cannot be used, 1 problem:',
    )
  })

  test('a file asked for must be there', async () => {
    expect(await refusalOf(undefined, { file: 'missing.yaml' })).toBe('missing.yaml cannot be read: it does not exist')
    expect(await refusalOf(undefined, { file: '.' })).toContain('it is a folder')
  })
})

describe('environment references', () => {
  test('are looked up in block and flow style, in parts of a text, and in two further spellings', async () => {
    const yaml = [
      'server: { port: ${PORT} }',
      'secret: os.environ/SECRET_1',
      'strict_models: env.STRICT',
      'keys:',
      '  - { key: ${KEY}, org: acme, name: web }',
      '  - key: "prefix-${KEY}-suffix"',
      '    org: acme',
      '    name: app',
      '# ${COMMENTED}',
    ].join('\n')
    const env = { PORT: '8080', SECRET_1: 's'.repeat(40), KEY: '1234567890: {x}', STRICT: 'true' }
    const config = await load(yaml, { env })
    expect(config.server.port).toBe(8080)
    expect(config.secret).toBe('s'.repeat(40))
    expect(config.strictModels).toBe(true)
    expect(config.keys.map(({ key }) => key)).toEqual(['1234567890: {x}', 'prefix-1234567890: {x}-suffix'])
  })

  test('that are not set are named with line and column, several at once', async () => {
    const message = await refusalOf('secret: ${NOT_SET}\nkeys:\n  - { key: ${EMPTY}, org: a, name: b }', {
      env: { EMPTY: '' },
    })
    expect(message).toBe(
      'incipit.yaml cannot be used, 2 problems:\n' +
        '  incipit.yaml:1:9  environment variable NOT_SET is not set, or empty\n' +
        '  incipit.yaml:3:12  environment variable EMPTY is not set, or empty',
    )
  })

  test('never show the value they brought', async () => {
    const message = await refusalOf('secret: ${S}\nserver: { port: ${P} }', {
      env: { S: 'short-secret', P: 'hunter2' },
    })
    expect(message).not.toMatch(/short-secret|hunter2/)
    expect(message).toContain('secret: found a value that is not shown, allowed: a text of at least 16 characters')
  })
})

describe('refusals', () => {
  test('YAML that does not parse is named with its place', async () => {
    expect(await refusalOf('server:\n  port: 1\n port: 2\n')).toMatch(/incipit\.yaml:3:\d+ {2}/)
    expect(await refusalOf('a: 1\na: 2\n')).toContain('incipit.yaml:2:1  Map keys must be unique')
    expect(await refusalOf('server: &a { port: 1 }\nstore: *a')).toContain('incipit.yaml:2:8  alias *a')
    expect(await refusalOf('engine: 3')).toContain('incipit.yaml:1:1  engine: found 3, allowed: a mapping')
    expect(await refusalOf('- 1')).toContain('the file: found a list of 1, allowed: a mapping')
  })

  test('values out of range say what was found and what is allowed, all at once', async () => {
    const message = await refusalOf(
      'server:\n  port: abc\n  max_body_bytes: 3XB\nkeys: [{ org: a, name: b, role: boss }]\nengine: { threads: 0, hot_bytes: -1 }\nstore: { url: "mysql://x" }',
    )
    expect(message.split('\n')).toEqual([
      'incipit.yaml cannot be used, 7 problems:',
      '  incipit.yaml:2:3  server.port: found "abc", allowed: a whole number from 0 to 65535',
      '  incipit.yaml:3:3  server.max_body_bytes: found "3XB", allowed: a number of bytes, such as 2GiB, 512MiB or 1048576',
      '  incipit.yaml:4:8  keys[0].key: found a value that is not shown, allowed: the key, a text',
      '  incipit.yaml:4:27  keys[0].role: found "boss", allowed: member or admin',
      '  incipit.yaml:5:11  engine.threads: found 0, allowed: auto, or a whole number from 1 to 1024',
      '  incipit.yaml:5:23  engine.hot_bytes: found -1, allowed: auto, or a number of bytes, such as 2GiB, 512MiB or 1048576',
      '  incipit.yaml:6:10  store.url: found a value that is not shown, allowed: null (SQLite in data_dir), or a URL that begins with postgres://',
    ])
  })

  test('sums that would go before their events are refused, with both numbers', async () => {
    expect(await refusalOf('retention: { events_days: 30, summaries_days: 7 }')).toContain(
      'retention.summaries_days: 7 days, but single events stay for 30: sums cannot go before them',
    )
    expect(await refusalOf('retention: { summaries_days: 7 }')).toContain('single events stay for ever')
    expect(await refusalOf('retention: { events_days: 0 }')).toContain('allowed: null, or a whole number of days')
  })

  test('an unknown key is named with its place and the nearest known one', async () => {
    const message = await refusalOf(
      'server:\n  prot: 1\nengine: { models: [{ name: a, path: b, alias: [] }] }\nxyzzy: 1\n__proto__: 2',
    )
    expect(message).toContain('incipit.yaml:2:3  server.prot: unknown key; did you mean "port"?')
    expect(message).toContain('engine.models[0].alias: unknown key; did you mean "aliases"?')
    expect(message).toContain('incipit.yaml:4:1  xyzzy: unknown key; known here: server, data_dir, secret')
    expect(message).toContain('__proto__: unknown key')
  })

  test('an unknown key without a value is still unknown', async () => {
    expect(await refusalOf('server:\n  prot:\nkeys: [{ key: $, { X }, org: a, name: b }]')).toMatch(
      /server\.prot: unknown key[^]*keys\[0\]\..*X.*: unknown key/,
    )
  })

  test('at most 20 problems are listed', async () => {
    const message = await refusalOf(Array.from({ length: 30 }, (_, index) => `key_${index}: 1`).join('\n'))
    expect(message.split('\n')).toHaveLength(22)
    expect(message).toMatch(/30 problems:[^]*and 10 more$/)
  })
})

describe('keys', () => {
  const key = (name: string, key: string): string => `  - { key: ${key}, org: acme, name: ${name} }\n`

  test('F-7 an address beyond loopback without keys is refused', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'gateway.example', '127.example.com']) {
      expect(await refusalOf(`server: { host: "${host}" }`)).toContain(
        `server.host: "${host}" can be reached from elsewhere`,
      )
    }
    for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
      expect((await load(`server: { host: "${host}" }`)).server.host).toBe(host)
    }
    const open = await load(`server: { host: 0.0.0.0 }\nkeys:\n${key('web', '0123456789abcdef')}`)
    expect(open.server.host).toBe('0.0.0.0')
  })

  test('duplicates are refused without showing them, short keys are a warning', async () => {
    const message = await refusalOf(
      `keys:\n${key('web', 'same-key-00000000')}${key('app', 'same-key-00000000')}${key('web', 'other')}`,
    )
    expect(message).toContain('incipit.yaml:3:7  keys[1].key: the same key stands above')
    expect(message).toContain(
      'keys[2].name: a key above is named "web" too; key names must be unique over all organisations',
    )
    expect(message).not.toContain('same-key')
    const { warnings } = await load(`keys:\n${key('web', 'short')}`)
    expect(warnings).toEqual(['key "web" has 5 characters; at least 16 are advised'])
  })

  test('a name or an alias of two local models is refused where it stands; globs may overlap', async () => {
    const models = (...entries: readonly string[]): string =>
      ['engine:', '  models:', ...entries.map((entry) => `    - { path: builtin:demo, ${entry} }`), ''].join('\n')
    const message = await refusalOf(
      models('name: a, aliases: [x, b, gpt-*]', 'name: b, aliases: [y, x]', 'name: a, aliases: [gpt-*]'),
    )
    expect(message).toContain('incipit.yaml:3:51  engine.models[0].aliases[1]: a model has the name "b"')
    expect(message).toContain('incipit.yaml:4:51  engine.models[1].aliases[1]: "x" is an alias of model "a" too')
    expect(message).toContain('engine.models[2].name: the name "a" stands above')
    expect(message).toContain('engine.models[2].aliases[0]: "gpt-*" is an alias of model "a" too')
    const { engine } = await load(models('name: a, aliases: [a, gpt-*]', 'name: b, aliases: [gpt-5*]'))
    expect(engine.models.map(({ name }) => name)).toEqual(['a', 'b'])
  })
})

test('the hash follows every setting and no secret', async () => {
  const yaml = (key: string, org: string): string =>
    `secret: ${key.repeat(16)}\nkeys: [{ key: ${key.repeat(16)}, org: ${org}, name: n }]`
  const first = await load(yaml('a', 'acme'))
  expect(first.hash).toMatch(/^[0-9a-f]{64}$/)
  expect((await load(yaml('b', 'acme'))).hash).toBe(first.hash)
  expect((await load(yaml('a', 'other'))).hash).not.toBe(first.hash)
})
