import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import type { Finding } from './doctor.ts'
import type { Probe } from './probe-address.ts'
import { upstreamFindings } from './upstream-findings.ts'

const reached: Probe = { kind: 'reached', ms: 7 }
const unreached: Probe = { kind: 'unreached', why: 'nothing listens there' }

async function findingsOf(
  upstreams: string,
  probe: (url: string) => Probe,
  env: Record<string, string> = {},
): Promise<Finding[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'incipit-findings-'))
  await writeFile(join(cwd, 'incipit.yaml'), upstreams)
  const config = await loadConfig({ flags: {}, env, cwd })
  await rm(cwd, { recursive: true })
  return upstreamFindings(config, env, async ({ url }) => probe(url))
}

const one = (entry: string): string => `upstreams: [{ name: a, ${entry} }]`

test('every upstream is one finding, with its addresses and where its key is from, never the key', async () => {
  const yaml = `upstreams:
  - { name: claude, kind: anthropic, api_key: SECRET }
  - { name: many, kind: openai, api_keys: [SECRET1, SECRET2], org_keys: { acme: SECRET3 } }
  - { name: own, kind: vllm, replicas: ["http://u:SECRET@h1:8001/v1", "http://h2"] }
  - { name: theirs, kind: openrouter, credentials: client }
`
  expect(await findingsOf(yaml, () => reached)).toEqual([
    {
      check: 'upstreams',
      verdict: 'ok',
      detail: 'claude: anthropic, https://api.anthropic.com reached in 7 ms; keys: 1',
    },
    {
      check: 'upstreams',
      verdict: 'ok',
      detail: 'many: openai, https://api.openai.com reached in 7 ms; keys: 2, of organisations: 1',
    },
    {
      check: 'upstreams',
      verdict: 'ok',
      detail: 'own: vllm, http://h1:8001 reached in 7 ms, http://h2 reached in 7 ms; no key',
    },
    {
      check: 'upstreams',
      verdict: 'ok',
      detail: "theirs: openrouter, https://openrouter.ai reached in 7 ms; callers' own keys",
    },
  ])
})

test('one that was found by a variable names it', async () => {
  const [finding] = await findingsOf('', () => reached, { FIREWORKS_API_KEY: 'SECRET' })
  expect(finding?.detail).toBe(
    'fireworks: fireworks, https://api.fireworks.ai reached in 7 ms; key of FIREWORKS_API_KEY',
  )
})

test('no address reached fails, one of several is a warning', async () => {
  const fleet = one('kind: vllm, replicas: ["http://h1", "http://h2"]')
  expect(await findingsOf(fleet, () => unreached)).toMatchObject([{ verdict: 'failed' }])
  expect(await findingsOf(fleet, (url) => (url === 'http://h1' ? reached : unreached))).toMatchObject([
    {
      verdict: 'warning',
      detail: 'a: vllm, http://h1 reached in 7 ms, http://h2 not reached: nothing listens there; no key',
    },
  ])
})

test('behind a proxy of its own, the proxy is what has to be reached, and its password is not shown', async () => {
  const tried: string[] = []
  const yaml = one('kind: openai, api_key: k, proxy: "http://u:SECRET@proxy:3128"')
  const [finding] = await findingsOf(yaml, (url) => {
    tried.push(new URL(url).host)
    return reached
  })
  expect(tried).toEqual(['proxy:3128'])
  expect(finding?.detail).toBe('a: openai, proxy http://proxy:3128 reached in 7 ms; keys: 1')
})

test('a proxy of the environment makes an address that is not reached directly a warning', async () => {
  const env = { https_proxy: 'http://proxy:3128' }
  expect(await findingsOf(one('kind: openai, api_key: k'), () => unreached, env)).toMatchObject([
    { verdict: 'warning', detail: expect.stringContaining('https_proxy is set and was not tried') },
  ])
})
