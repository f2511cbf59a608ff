import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { adminLine, aKey, ask } from './support/keys.ts'

const config = `engine: { enabled: false }
keys:
${adminLine}
orgs:
  - { name: acme, limits: { usd_per_month: 500, tpm: 90000 } }
`
let server: ServerProcess

beforeAll(async () => {
  server = await startServerProcess({ config })
})
afterAll(() => server.stop())

test('tools that read LiteLLM find key, user and team of a key with the key itself', async () => {
  const limits = { rpm: 60, tpm: 1_000, parallel: 4, usd_per_day: 2.5, soft_usd_per_day: 2, usd_total: 90 }
  const scopes = { models: ['gpt-*'] }
  const { id, key } = await aKey(server, { name: 'desk', limits, scopes, expires_at: '2099-01-01' })
  const info = await ask(server, '/key/info', { key })
  expect(info.json).toMatchObject({
    key: id,
    info: {
      key_alias: 'desk',
      key_name: `inc_...${key.slice(-4)}`,
      spend: 0,
      max_budget: 2.5,
      soft_budget: 2,
      budget_duration: '1d',
      expires: '2099-01-01T00:00:00.000Z',
      models: ['gpt-*'],
      rpm_limit: 60,
      tpm_limit: 1_000,
      max_parallel_requests: 4,
      user_id: id,
      team_id: 'acme',
      blocked: false,
    },
  })
  const user = await ask(server, `/user/info?user_id=${id}`, { key })
  expect(user.json).toMatchObject({
    user_id: id,
    user_info: { user_id: id, user_role: 'internal_user', max_budget: 2.5, spend: 0, teams: ['acme'] },
    keys: [{ token: id, key_alias: 'desk' }],
    teams: [{ team_id: 'acme', max_budget: 500, budget_duration: '1mo' }],
  })
  const team = await ask(server, '/team/info?team_id=acme', { key })
  expect(team.json).toMatchObject({
    team_id: 'acme',
    team_info: { team_id: 'acme', team_alias: 'acme', max_budget: 500, tpm_limit: 90_000, spend: 0 },
  })
})

test('a key reads what is its own, by its id or by itself, and learns nothing of others', async () => {
  const [own, other] = [await aKey(server), await aKey(server)]
  const status = async (path: string, key = own.key): Promise<number> => (await ask(server, path, { key })).status
  expect(await status(`/key/info?key=${own.key}`)).toBe(200)
  expect(await status(`/key/info?key=${own.id}`)).toBe(200)
  expect(await status(`/key/info?key=${own.key}`, '')).toBe(200)
  expect(await status(`/key/info?key=${other.key}`)).toBe(403)
  expect(await status('/key/info?key=no-key-at-all')).toBe(403)
  expect(await status(`/user/info?user_id=${other.id}`)).toBe(403)
  expect(await status('/team/info?team_id=house')).toBe(403)
  expect(await status('/key/info', '')).toBe(401)
})
