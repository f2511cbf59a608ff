import type { Page } from 'playwright-core'
import { vi } from 'vitest'
import type { ServerProcess } from '../../../benchmarks/support/server-process.ts'
import { startServerProcess } from '../../../benchmarks/support/server-process.ts'
import { post } from '../ledger.ts'

/** Keys of two organisations, and of an admin of neither. */
export const cacheKeys = {
  acme: 'key-of-acme-web-0001',
  bolt: 'key-of-bolt-web-0001',
  admin: 'key-of-root-ops-0001',
} as const

const config = `
engine:
  ram_bytes: 64MiB
  models:
    - { name: demo, path: "builtin:demo", context_tokens: 16384 }
    - { name: claude, path: "builtin:demo", context_tokens: 16384, aliases: ["claude-*"], rules: anthropic }
upstreams: []
keys:
  - { key: ${cacheKeys.acme}, org: acme, name: web, role: member }
  - { key: ${cacheKeys.bolt}, org: bolt, name: web-b, role: member }
  - { key: ${cacheKeys.admin}, org: root, name: ops, role: admin }
`
const story = 'The harbour lights went out one by one while the keeper counted ships. '.repeat(20)

/** A gateway with a local engine that two organisations use. */
export interface CacheWorld {
  readonly gateway: ServerProcess
  stop(): Promise<void>
}

/** Starts it: of each organisation a conversation of the demo model, asked on in two ways, and a pinned prefix. */
export async function startCacheWorld(): Promise<CacheWorld> {
  const gateway = await startServerProcess({ config })
  await fillCache(gateway.url)
  await knowsOrganisations(gateway.url)
  return { gateway, stop: () => gateway.stop() }
}

/** Whose something in the engine is, is known by what the ledger has of them. */
async function knowsOrganisations(url: string): Promise<void> {
  const headers = { authorization: `Bearer ${cacheKeys.admin}` }
  await vi.waitFor(
    async () => {
      const answer = await fetch(`${url}/v1/pins`, { headers })
      const { data } = (await answer.json()) as { readonly data: readonly { readonly org: string | null }[] }
      if (data.some(({ org }) => org === null)) throw new Error('the ledger does not know all organisations')
    },
    { timeout: 20_000 },
  )
}

/** Sends the traffic of both organisations. */
export async function fillCache(url: string): Promise<void> {
  for (const org of ['bolt', 'acme'] as const) {
    const headers = { authorization: `Bearer ${cacheKeys[org]}` }
    for (const question of ['One?', 'Two, and why?']) {
      const messages = [
        { role: 'system', content: org + story },
        { role: 'user', content: question },
      ]
      await sent(url, '/v1/chat/completions', { model: 'demo', messages, max_tokens: 2 }, headers)
    }
    const system = [{ type: 'text', text: org + story.repeat(3), cache_control: { type: 'ephemeral', ttl: '1h' } }]
    const body = { model: 'claude-x', max_tokens: 2, system, messages: [{ role: 'user', content: 'Hello' }] }
    await sent(url, '/v1/messages', body, { ...headers, 'anthropic-version': '2023-06-01' })
  }
}

async function sent(url: string, path: string, body: object, headers: Record<string, string>): Promise<void> {
  const answer = await post(url + path, body, { headers })
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${text}`)
}

/** Has a page of the console use a key, as if its user had typed it. */
export async function useKey(page: Page, key: string): Promise<void> {
  await page.addInitScript(`sessionStorage.setItem('incipit-key', '${key}')`)
}
