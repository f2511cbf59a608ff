import type { Emulator } from 'incipit/emulate'
import { startEmulator } from 'incipit/emulate'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const inExamples = (path: string): string => readFileSync(new URL(`../examples/${path}`, import.meta.url), 'utf8')

let openai: Emulator
let anthropic: Emulator
let gateway: ServerProcess

beforeAll(async () => {
  openai = await startEmulator({ kind: 'openai' })
  anthropic = await startEmulator({ kind: 'anthropic' })
  gateway = await startGateway(
    [
      { name: 'openai', url: openai.url, settings: 'kind: openai, api_key: sk-test, models: ["gpt-*"]' },
      { name: 'anthropic', url: anthropic.url, settings: 'kind: anthropic, api_key: sk-test, models: ["claude-*"]' },
    ],
    { engine: true },
  )
})
afterAll(() => Promise.all([gateway.stop(), openai.close(), anthropic.close()]))

interface Run {
  readonly code: number
  readonly output: string
}

/** Runs an example as its README says, from the root. */
async function run(command: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const [program = '', ...rest] = command.split(' ')
  const own = { INCIPIT_URL: gateway.url, INCIPIT_KEY: 'unused', INCIPIT_MODEL: 'demo', no_proxy: '*', ...env }
  const options = { cwd: root, env: { ...process.env, ...own } }
  return new Promise((resolve) => {
    execFile(program === 'node' ? process.execPath : program, rest, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` })
    })
  })
}

/** Every folder, its command, and lines of its output when it runs against the demo model. */
const examples: Readonly<Record<string, readonly [command: string, ...lines: RegExp[]]>> = {
  anthropic: [
    'node examples/anthropic/main.mjs',
    /^count +[1-9]\d+ tokens$/m,
    /^message, cold \d+ fresh, 0 read, /m,
    /^message, warm \d+ fresh, [1-9]\d{3} read, .*\(engine\/demo\)$/m,
    /^stream +\d+ fresh, [1-9]\d{3} read, /m,
    /^tools +\d+ fresh, [1-9]\d{3} read, /m,
  ],
  'claude-code': [
    'node examples/claude-code/check.mjs',
    /^models +[1-9]/m,
    /^second turn \d+ fresh, [1-9]\d{3} read, .*\(engine\/demo\)$/m,
  ],
  codex: ['node examples/codex/check.mjs', /^second step \d+ tokens, [1-9]\d{3} cached \(engine\/demo\)$/m],
  curl: [
    'sh examples/curl/run.sh',
    /^\.\.\.\/ai\/run /m,
    /^\/v1\/chat\/completions /m,
    /^\/v1\/messages /m,
    /^\/v1\/responses /m,
  ],
  emulators: [
    'node examples/emulators/main.mjs',
    /^cold +950 written, 0 read$/m,
    /^4 minutes later +0 written, 950 read$/m,
    /^another 6 minutes +950 written, 0 read$/m,
    /^overloaded +529$/m,
  ],
  openai: [
    'node examples/openai/main.mjs',
    /^chat, cold +\d+ prompt tokens, 0 cached \(engine\/demo\)$/m,
    /^chat, warm +\d+ prompt tokens, [1-9]\d{3} cached /m,
    /^chat, stream +\d+ prompt tokens, [1-9]\d{3} cached$/m,
    /^tools +\d+ prompt tokens, [1-9]\d{3} cached /m,
    /^responses +\d+ prompt tokens, [1-9]\d{3} cached$/m,
  ],
  opencode: ['node examples/opencode/check.mjs', /^second step +\d+ tokens, [1-9]\d{3} cached \(engine\/demo\)$/m],
  'workers-ai-binding': [
    'node examples/workers-ai-binding/main.mjs',
    /^whole: +\d+ prompt tokens, 0 cached$/m,
    /^stream: +\d+ prompt tokens, [1-9]\d* cached$/m,
  ],
}

test.each(Object.entries(examples))('example %s runs against the demo model', async (_, [command, ...lines]) => {
  const { code, output } = await run(command)
  expect(code, output).toBe(0)
  for (const line of lines) expect(output).toMatch(line)
})

test('example curl reports cached tokens in the second answer of each dialect', async () => {
  const { output } = await run('sh examples/curl/run.sh')
  const counts = [...output.matchAll(/(?:cached_tokens|cache_read_input_tokens)":(\d+)/g)].map(([, count]) =>
    Number(count),
  )
  expect(counts).toHaveLength(8)
  expect(Math.max(...counts.filter((_, index) => index % 2 === 0))).toBeLessThan(100)
  expect(Math.min(...counts.filter((_, index) => index % 2 === 1))).toBeGreaterThan(1_500)
})

test.each([
  ['node examples/anthropic/main.mjs', 'claude-opus-5', /^message, warm \d+ fresh, [1-9]\d{3} read, 0 written/m],
  ['node examples/anthropic/main.mjs', 'gpt-5.6-sol', /^message, warm \d+ fresh, [1-9]\d{3} read, /m],
  ['node examples/openai/main.mjs', 'gpt-5.6-sol', /^chat, warm +\d+ prompt tokens, [1-9]\d{3} cached /m],
  ['node examples/openai/main.mjs', 'claude-opus-5', /^chat, warm +\d+ prompt tokens, [1-9]\d{3} cached /m],
  ['node examples/claude-code/check.mjs', 'claude-opus-5', /^second turn .* [1-9]\d{3} read, /m],
  ['node examples/claude-code/check.mjs', 'gpt-5.6-sol', /^second turn .* [1-9]\d{3} read, /m],
  ['node examples/codex/check.mjs', 'gpt-5.6-sol', /^second step \d+ tokens, [1-9]\d{3} cached /m],
  ['node examples/codex/check.mjs', 'claude-opus-5', /^second step \d+ tokens, [1-9]\d{3} cached /m],
  ['node examples/opencode/check.mjs', 'claude-opus-5', /^second step \d+ tokens, [1-9]\d{3} cached /m],
  ['sh examples/curl/run.sh messages', 'claude-opus-5', /cache_read_input_tokens":[1-9]\d{3}/],
])('%s with INCIPIT_MODEL=%s is warm at an upstream', async (command, model, line) => {
  const { code, output } = await run(command, { INCIPIT_MODEL: model })
  expect(code, output).toBe(0)
  expect(output).toMatch(line)
})

test('an example says what is missing where no gateway runs, and fails', async () => {
  const closed = await startEmulator({ kind: 'openai' })
  await closed.close()
  const commands = ['openai/main', 'anthropic/main', 'claude-code/check', 'codex/check', 'opencode/check']
  for (const name of commands) {
    const { code, output } = await run(`node examples/${name}.mjs`, { INCIPIT_URL: closed.url })
    expect([code, output.trim()]).toEqual([1, `no answer from ${closed.url}: is the gateway running? (npm start)`])
  }
})

test('every folder of examples is in the table of their README, and here', () => {
  const folders = readdirSync(new URL('../examples/', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  expect(Object.keys(examples).sort()).toEqual(folders.sort())
  const page = inExamples('README.md')
  expect(Object.values(examples).filter(([command]) => !page.includes(`\`${command}\``))).toEqual([])
})

test('settings for tools lead to the default address, with /v1 where the tool wants it', () => {
  const { env } = JSON.parse(inExamples('claude-code/settings.json')) as { env: Record<string, string> }
  expect(env).toMatchObject({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:4141', ANTHROPIC_AUTH_TOKEN: 'unused' })
  expect(inExamples('codex/config.toml')).toMatch(/^base_url = "http:\/\/127\.0\.0\.1:4141\/v1"$/m)
  const lines = inExamples('opencode/opencode.jsonc').split('\n')
  const plain = lines.filter((line) => !line.trim().startsWith('//')).join('\n')
  const settings = JSON.parse(plain.replace(/,(?=\s*[}\]])/g, '')) as {
    readonly provider: Record<string, { readonly options: { readonly baseURL: string } }>
  }
  const urls = Object.values(settings.provider).map(({ options }) => options.baseURL)
  expect(urls).toEqual(Array(3).fill('http://127.0.0.1:4141/v1'))
})
