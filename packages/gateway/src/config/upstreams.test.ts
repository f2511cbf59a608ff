import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { maskSecrets } from './config-hash.ts'
import type { LoadedConfig } from './load-config.ts'
import { loadConfig } from './load-config.ts'

let cwd: string

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'incipit-upstreams-'))
})

afterEach(() => rm(cwd, { recursive: true, force: true }))

async function load(yaml: string, env: Record<string, string> = {}): Promise<LoadedConfig> {
  await writeFile(join(cwd, 'incipit.yaml'), yaml)
  return loadConfig({ flags: {}, env, cwd })
}

async function refusalOf(yaml: string, env: Record<string, string> = {}): Promise<string> {
  const error: unknown = await load(yaml, env).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).message
}

const one = (entry: string): string => `upstreams:\n  - ${entry}`

describe('upstreams', () => {
  test('a hosted one needs a kind and a key, everything else has a default', async () => {
    const { upstreams } = await load(one('{ name: claude, kind: anthropic, api_key: "${KEY}" }'), { KEY: '123456' })
    expect(upstreams).toEqual([
      {
        name: 'claude',
        kind: 'anthropic',
        baseUrl: undefined,
        replicas: [],
        accountId: undefined,
        apiKey: '123456',
        apiKeys: [],
        orgKeys: {},
        credentials: 'configured',
        models: ['*'],
        modelNames: {},
        speaks: undefined,
        isolation: undefined,
        affinityHeader: undefined,
        stripBillingBlock: 'auto',
        headers: {},
        traceContext: false,
        timeouts: { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000 },
        maxRetries: 2,
        maxAnswerBytes: 268_435_456,
        maxConnections: 512,
        proxy: undefined,
        caFile: undefined,
      },
    ])
  })

  test('every setting of one arrives, names of headers in lower case, addresses without a slash at the end', async () => {
    await writeFile(join(cwd, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n')
    const yaml = `keys: [{ key: 0123456789abcdef, org: acme, name: web }]
upstreams:
  - name: fleet
    kind: vllm
    replicas: [http://127.0.0.1:8001/, "http://127.0.0.1:8002/v1/"]
    api_keys: [a, b]
    org_keys: { acme: c }
    models: ["llama-*"]
    model_names: { "claude-sonnet-5-5": "anthropic/claude-sonnet-5.5" }
    speaks: [openai-chat, openai-responses]
    isolation: credential
    affinity_header: X-Grok-Conv-Id
    strip_billing_block: always
    trace_context: true
    headers: { X-Foo: bar }
    timeouts: { connect_ms: 1, first_byte_ms: 2, idle_ms: 3 }
    max_retries: 0
    max_answer_bytes: 1MiB
    max_connections: 7
    proxy: http://user:pass@proxy.example:3128
    ca_file: ca.pem
`
    const { upstreams } = await load(yaml)
    expect(upstreams[0]).toEqual({
      name: 'fleet',
      kind: 'vllm',
      baseUrl: undefined,
      replicas: ['http://127.0.0.1:8001', 'http://127.0.0.1:8002/v1'],
      accountId: undefined,
      apiKey: undefined,
      apiKeys: ['a', 'b'],
      orgKeys: { acme: 'c' },
      credentials: 'configured',
      models: ['llama-*'],
      modelNames: { 'claude-sonnet-5-5': 'anthropic/claude-sonnet-5.5' },
      speaks: ['openai-chat', 'openai-responses'],
      isolation: 'credential',
      affinityHeader: 'x-grok-conv-id',
      stripBillingBlock: 'always',
      headers: { 'x-foo': 'bar' },
      traceContext: true,
      timeouts: { connectMs: 1, firstByteMs: 2, idleMs: 3 },
      maxRetries: 0,
      maxAnswerBytes: 1_048_576,
      maxConnections: 7,
      proxy: 'http://user:pass@proxy.example:3128',
      caFile: join(cwd, 'ca.pem'),
    })
  })

  test.each([
    [
      '{ name: engine, kind: openai, api_key: a }',
      'incipit.yaml:2:7  upstreams[0].name: found "engine", allowed: 1 to 64',
    ],
    ['{ name: A, kind: openai, api_key: a }', 'upstreams[0].name: found "A", allowed'],
    ['{ name: a, kind: gemini, api_key: a }', 'upstreams[0].kind: found "gemini", allowed: openai, anthropic,'],
    ['{ name: a, kind: openai }', 'incipit.yaml:2:16  upstreams[0].kind: the kind openai needs api_key'],
    ['{ name: a, kind: vllm }', 'upstreams[0].kind: the kind vllm needs base_url or replicas'],
    [
      '{ name: a, kind: workers-ai, api_key: a }',
      'upstreams[0].kind: the kind workers-ai needs account_id, or base_url',
    ],
    ['{ name: a, kind: openai, api_key: a, account_id: b }', 'upstreams[0].account_id: only the kind workers-ai'],
    ['{ name: a, kind: vllm, base_url: "http://a", replicas: ["http://b"] }', 'upstreams[0].replicas: base_url and'],
    [
      '{ name: a, kind: vllm, replicas: ["http://b", "http://b/"] }',
      'upstreams[0].replicas[1]: the same address stands',
    ],
    [
      '{ name: a, kind: vllm, replicas: [] }',
      'upstreams[0].replicas: found a list of 0, allowed: a list of at least one URL',
    ],
    ['{ name: a, kind: vllm, base_url: "ftp://b" }', 'upstreams[0].base_url: found "ftp://b", allowed: an http:// or'],
    ['{ name: a, kind: vllm, base_url: "http://b?c=d" }', 'upstreams[0].base_url: found "http://b?c=d", allowed'],
    ['{ name: a, kind: vllm, base_url: "http://b#c" }', 'upstreams[0].base_url: found "http://b#c", allowed'],
    ['{ name: a, kind: vllm, base_url: "http://b:99999" }', 'upstreams[0].base_url: found "http://b:99999", allowed'],
    [
      '{ name: a, kind: openai, api_key: a, api_keys: [b] }',
      'upstreams[0].api_keys: api_key and api_keys are both given',
    ],
    ['{ name: a, kind: openai, api_keys: [b, b] }', 'upstreams[0].api_keys[1]: the same key stands above'],
    ['{ name: a, kind: openai, credentials: client, api_key: b }', 'upstreams[0].credentials: the caller'],
    ['{ name: a, kind: openai, api_key: b, isolation: credential }', 'organisation; none for local'],
    [
      '{ name: a, kind: openai, api_key: b, headers: { Host: c } }',
      'upstreams[0].headers: the header "host" is set by',
    ],
    [
      '{ name: a, kind: openai, api_key: b, headers: { "a b": c } }',
      'upstreams[0].headers: "a b" is no name of a header',
    ],
    [
      '{ name: a, kind: openai, api_key: b, headers: { X-Api-Key: c } }',
      'upstreams[0].headers: the header "x-api-key" carries',
    ],
    [
      '{ name: a, kind: openai, api_key: b, affinity_header: Authorization }',
      'upstreams[0].affinity_header: the header',
    ],
    ['{ name: a, kind: openai, api_key: b, max_retries: 11 }', 'found 11, allowed: a whole number from 0 to 10'],
    [
      '{ name: a, kind: openai, api_key: b, speaks: [gemini] }',
      'upstreams[0].speaks[0]: found "gemini", allowed: openai-chat',
    ],
    ['{ name: a, kind: openai, api_key: b, ca_file: missing.pem }', 'missing.pem cannot be read: ENOENT'],
    ['{ name: a, kind: openai, api_key: b, ca_file: incipit.yaml }', 'incipit.yaml holds no certificate in PEM form'],
    ['{ name: a, kind: openai, api_keey: b }', 'upstreams[0].api_keey: unknown key; did you mean "api_key"?'],
    [
      '{ name: a, kind: openai, api_key: b, timeouts: { idle: 3 } }',
      'timeouts.idle: unknown key; did you mean "idle_ms"?',
    ],
  ])('%s is refused', async (entry, expected) => {
    expect(await refusalOf(one(entry))).toContain(expected)
  })

  test('names are unique', async () => {
    const message = await refusalOf(
      `${one('{ name: a, kind: openai, api_key: b }')}\n  - { name: a, kind: openai, api_key: c }`,
    )
    expect(message).toContain('incipit.yaml:3:7  upstreams[1].name: an upstream above is named "a" too')
  })

  test("a caller's credential may be passed on by a gateway with keys of its own, and by one without", async () => {
    const yaml = one('{ name: a, kind: anthropic, credentials: client }')
    expect((await load(yaml)).upstreams[0]?.credentials).toBe('client')
    const keyed = await load(`keys: [{ key: 0123456789abcdef, org: acme, name: web }]\n${yaml}`)
    expect(keyed.upstreams[0]?.credentials).toBe('client')
  })

  test('isolation by credential needs a key for every organisation, and a key for no organisation is a warning', async () => {
    const keys =
      'keys: [{ key: 0123456789abcdef, org: acme, name: web }, { key: fedcba9876543210, org: beta, name: app }]\n'
    const upstream = (orgKeys: string): string =>
      one(`{ name: a, kind: openai, api_key: z, isolation: credential, org_keys: ${orgKeys} }`)
    expect(await refusalOf(keys + upstream('{ acme: x }'))).toContain('for each organisation; none for beta')
    const { warnings } = await load(keys + upstream('{ acme: x, beta: y, gone: z }'))
    expect(warnings).toEqual(['upstream "a": org_keys has a key for "gone", an organisation without keys here'])
  })
})

describe('secrets of upstreams', () => {
  const secrets = ['KEY-1', 'KEY-2', 'KEY-3', 'HEADER-4', 'PASS-5', 'PASS-6']
  const yaml = (suffix = ''): string =>
    [
      'upstreams:',
      `  - { name: a, kind: openai, api_key: KEY-1${suffix}, org_keys: { acme: KEY-3${suffix} } }`,
      `  - { name: b, kind: vllm, base_url: "http://u:PASS-5${suffix}@host/v1", api_keys: [KEY-2${suffix}] }`,
      `  - { name: c, kind: vllm, replicas: ["http://host"], headers: { x-a: HEADER-4${suffix} }, proxy: "http://u:PASS-6${suffix}@p:1" }`,
    ].join('\n')

  test('are neither shown nor hashed, while what stands beside them is', async () => {
    const config = await load(yaml())
    const shown = JSON.stringify(maskSecrets(config))
    for (const secret of secrets) expect(shown).not.toContain(secret)
    expect(shown).toMatch(/http:\/\/\*\*\*@host\/v1.*http:\/\/\*\*\*@p:1/)
    expect((await load(yaml('x'))).hash).toBe(config.hash)
    expect((await load(yaml().replace('x-a', 'x-b'))).hash).not.toBe(config.hash)
  })

  test('never stand in a message, whatever is wrong with them', async () => {
    const wrong = [
      '{ name: a, kind: openai, api_key: "HUNTER 2" }',
      '{ name: a, kind: openai, api_keys: ["HUNTER 2"] }',
      '{ name: a, kind: openai, api_keys: "HUNTER2" }',
      '{ name: a, kind: openai, org_keys: { acme: "HUNTER 2" } }',
      '{ name: a, kind: openai, org_keys: "HUNTER2" }',
      '{ name: a, kind: openai, api_key: b, headers: { x-a: "HUNTER2\\n" } }',
      '{ name: a, kind: vllm, base_url: "ftp://u:HUNTER2@b" }',
      '{ name: a, kind: vllm, replicas: ["ftp://u:HUNTER2@b"] }',
      '{ name: a, kind: vllm, base_url: "http://b", proxy: "u:HUNTER2@b" }',
      '"HUNTER2"',
    ]
    for (const entry of wrong) {
      const message = await refusalOf(one(entry))
      expect(message).toContain('found a value that is not shown')
      expect(message).not.toContain('HUNTER')
    }
    expect(await refusalOf('upstreams: HUNTER2')).not.toContain('HUNTER')
  })
})

test('mode, usage in streams and the switches of caches have names of their own and nothing beside them', async () => {
  expect(await load('')).toMatchObject({
    mode: 'apply',
    injectStreamUsage: true,
    upstreams: [],
    workflowCache: { enabled: true, providerPrefixOptimization: { enabled: true } },
  })
  const yaml =
    'mode: observe\ninject_stream_usage: false\nworkflow_cache: { enabled: false, provider_prefix_optimization: { enabled: false } }'
  expect(await load(yaml)).toMatchObject({
    mode: 'observe',
    injectStreamUsage: false,
    workflowCache: { enabled: false, providerPrefixOptimization: { enabled: false } },
  })
  expect(await refusalOf('mode: maybe')).toContain('mode: found "maybe", allowed: observe, advise or apply')
  expect(await refusalOf('workflow_cache: { org_shared_enabled: true }')).toContain('org_shared_enabled: unknown key')
})

describe('discovery', () => {
  const env = { ANTHROPIC_API_KEY: 'sk-secret-1' }

  test('a file that does not speak of upstreams leaves them to the environment, an empty list means none', async () => {
    const found = await load('server: { port: 4141 }', env)
    expect(found.upstreams.map(({ name, kind, models }) => ({ name, kind, models }))).toEqual([
      { name: 'anthropic', kind: 'anthropic', models: ['claude-*'] },
    ])
    expect(found.discovered).toEqual([{ name: 'anthropic', kind: 'anthropic', variables: ['ANTHROPIC_API_KEY'] }])
    expect(await load('upstreams: []', env)).toMatchObject({ upstreams: [], discovered: [] })
    expect(await load(one('{ name: a, kind: openai, api_key: b }'), env)).toMatchObject({
      upstreams: [{ name: 'a' }],
      discovered: [],
    })
  })

  test('INCIPIT_DISCOVERY=off switches it off, and takes no other word', async () => {
    expect((await load('', { ...env, INCIPIT_DISCOVERY: 'off' })).upstreams).toEqual([])
    expect((await load('', { ...env, INCIPIT_DISCOVERY: 'on' })).upstreams).toHaveLength(1)
    expect(await refusalOf('', { ...env, INCIPIT_DISCOVERY: 'no' })).toContain('INCIPIT_DISCOVERY: allowed: on or off')
  })

  test('a variable that holds a key of this gateway is passed over, with a warning that does not show it', async () => {
    const { upstreams, warnings } = await load('keys: [{ key: own-key-0123456789, org: a, name: b }]', {
      OPENAI_API_KEY: 'own-key-0123456789',
    })
    expect(upstreams).toEqual([])
    expect(warnings).toEqual(['OPENAI_API_KEY is not used: it holds a key of this gateway'])
  })
})
