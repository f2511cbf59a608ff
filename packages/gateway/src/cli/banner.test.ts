import { expect, test } from 'vitest'
import type { BannerInput } from './banner.ts'
import { renderBanner } from './banner.ts'
import { version } from './version.ts'

const demo = { name: 'demo', aliases: ['@cf/*'], synthetic: true }
const input: BannerInput = {
  url: 'http://127.0.0.1:4141',
  dataDir: '/home/you/.incipit',
  models: [demo],
  upstreams: [],
  strictModels: false,
  keysRequired: false,
  engineMissing: undefined,
  testClock: false,
  colours: false,
}

test('CF-4 the banner has a line to paste for every dialect served', () => {
  expect(renderBanner(input)).toBe(
    `incipit ${version} is ready at http://127.0.0.1:4141

  OpenAI SDK    export OPENAI_BASE_URL=http://127.0.0.1:4141/v1
                export OPENAI_API_KEY=unused
  Anthropic SDK export ANTHROPIC_BASE_URL=http://127.0.0.1:4141
                export ANTHROPIC_API_KEY=unused
  Claude Code   ANTHROPIC_BASE_URL=http://127.0.0.1:4141 ANTHROPIC_AUTH_TOKEN=unused claude
  Codex         # ~/.codex/config.toml
                model_provider = "incipit"
                [model_providers.incipit]
                name = "Incipit"
                base_url = "http://127.0.0.1:4141/v1"
                env_key = "OPENAI_API_KEY"
                wire_api = "responses"
  Workers AI    http://127.0.0.1:4141/client/v4/accounts/{account_id}/ai
  Fireworks     http://127.0.0.1:4141/inference/v1
  Console       http://127.0.0.1:4141/
  Upstreams     none: name them in incipit.yaml, or set OPENAI_API_KEY, ANTHROPIC_API_KEY, ...
  Models        demo (also @cf/*); any other name goes to demo
  Data          /home/you/.incipit

  Try           curl http://127.0.0.1:4141/v1/chat/completions -H 'content-type: application/json' \\
                  -d '{"model":"demo","messages":[{"role":"system","content":"You are a careful librarian. Answer briefly, name your sources and never guess."},{"role":"user","content":"What is an incipit, and which is the oldest one known?"}],"max_tokens":8}'
                send it twice: the second reports cached tokens

  note Random weights: demo. Computing and caching are real, the text is meaningless.
`,
  )
})

test('a gateway with keys asks for one in the lines to paste', () => {
  const banner = renderBanner({ ...input, keysRequired: true })
  expect(banner).toContain('export OPENAI_API_KEY=YOUR_KEY')
  expect(banner).toContain('export ANTHROPIC_API_KEY=YOUR_KEY')
  expect(banner).toContain('ANTHROPIC_AUTH_TOKEN=YOUR_KEY claude')
  expect(banner).toContain("-H 'authorization: Bearer YOUR_KEY'")
})

test('every upstream is told with kind and names, and by which variables it was found', () => {
  const upstreams = [
    { name: 'claude', kind: 'anthropic', models: ['claude-*'], variables: [] },
    { name: 'openai', kind: 'openai', models: ['gpt-*', 'o3*'], variables: ['OPENAI_API_KEY', 'OPENAI_BASE_URL'] },
  ]
  expect(renderBanner({ ...input, upstreams })).toContain(
    '  Upstreams     claude (anthropic): claude-*\n' +
      '                openai: gpt-*, o3*; found by OPENAI_API_KEY, OPENAI_BASE_URL\n',
  )
})

test('without an engine the reason is told, and nothing is said about a demo model', () => {
  const banner = renderBanner({ ...input, models: [], engineMissing: 'no prebuilt llama.cpp for freebsd-x64' })
  expect(banner).toContain('Models        none: no prebuilt llama.cpp for freebsd-x64')
  expect(banner).not.toContain('Random weights')
})

test('every model of random weights is named, and no other; a test clock is told', () => {
  const model = (name: string, synthetic: boolean): BannerInput['models'][number] => ({ name, aliases: [], synthetic })
  const models = [model('real', false), model('tiny', true), model('small', true)]
  const banner = renderBanner({ ...input, models, testClock: true })
  expect(banner).toContain('note Random weights: tiny, small.')
  expect(banner).toContain('note The test clock is on: POST /admin/clock')
  expect(renderBanner({ ...input, models: models.slice(0, 1) })).not.toMatch('Random weights|test clock')
})

test('an address that listens everywhere is shown as one that can be called', () => {
  expect(renderBanner({ ...input, url: 'http://0.0.0.0:80' })).toContain('OPENAI_BASE_URL=http://127.0.0.1:80/v1')
  expect(renderBanner({ ...input, url: 'http://[::]:80' })).toContain('OPENAI_BASE_URL=http://[::1]:80/v1')
})

test('colours only where asked for', () => {
  const escape = String.fromCodePoint(27)
  expect(renderBanner(input)).not.toContain(escape)
  expect(renderBanner({ ...input, colours: true })).toContain(escape)
})
