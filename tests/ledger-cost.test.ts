import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startGateway } from './support/gateway.ts'
import type { Row } from './support/ledger.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import { chatAnswer, sendJson, startRecordingUpstream } from './support/recording-upstream.ts'

const folder = mkdtempSync(join(tmpdir(), 'incipit-prices-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const dayMs = 86_400_000
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

function priceFile(name: string, rows: readonly string[]): string {
  const file = join(folder, name)
  writeFileSync(file, `prices:\n${rows.map((row) => `  - ${row}\n`).join('')}`)
  return `prices: { file: "${file}" }`
}

test('a local model costs what the operator says it does, and nothing is known of one that has no price', async () => {
  const config = priceFile('engine.yaml', [
    '{ upstream: engine, model: demo, input: 1, read: 0.25, output: 3, source: electricity, as_of: 2026-11-01 }',
  ])
  const gateway = await startGateway([], { engine: true, config })
  try {
    const body = { model: 'demo', max_tokens: 3, messages: [{ role: 'user', content: 'Hello '.repeat(60) }] }
    for (const verdict of ['cold', 'warm']) {
      const row = await ask(gateway.url, body)
      const { fresh = 0, read = 0, output = 0 } = row.usage
      expect(row).toMatchObject({ verdict, provider: 'engine' })
      expect(row['price_id']).toMatch(/^operator\//)
      const cost = Number(fresh) + Number(read) * 0.25 + Number(output) * 3
      expect(row['cost_usd']).toBeCloseTo(cost / 1e6, 12)
      expect(row['counterfactual_usd']).toBeCloseTo((Number(fresh) + Number(read) + Number(output) * 3) / 1e6, 12)
    }
  } finally {
    await gateway.stop()
  }
})

test('P-4 a price that changes at midnight holds for what came after it, and no row changes afterwards', async () => {
  const change = (Math.floor(Date.now() / dayMs) + 3) * dayMs
  const row = (rest: string): string =>
    `{ provider: acme, model: m, ${rest}, output: 0, read: 0, source: list, as_of: 2026-11-01 }`
  const config = priceFile('midnight.yaml', [
    row(`until: ${dayOf(change - dayMs)}, input: 1`),
    row(`from: ${dayOf(change)}, input: 2`),
  ])
  const upstream = await startRecordingUpstream()
  upstream.answer = (_request, response) => sendJson(response, chatAnswer)
  const settings = 'kind: openai-compatible, provider: acme'
  const gateway = await startGateway([{ name: 'a', url: upstream.url, settings }], { config, flags: ['--test-clock'] })
  try {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    const advance = async (ms: number): Promise<void> => {
      expect((await post(`${gateway.url}/admin/clock`, { advance_ms: ms })).status).toBe(200)
    }
    // Of 20 tokens 16 were read, for nothing.
    await advance(change - Date.now() - dayMs / 2)
    const before = await ask(gateway.url, body)
    await advance(dayMs)
    const after = await ask(gateway.url, body)
    expect([before['cost_usd'], after['cost_usd']]).toEqual([4e-6, 8e-6])
    expect([before['counterfactual_usd'], after['counterfactual_usd']]).toEqual([20e-6, 40e-6])
    expect(after['price_id']).toContain(dayOf(change))
    expect(await rowOf(gateway.url, before.id)).toEqual(before)
  } finally {
    await gateway.stop()
    await upstream.close()
  }
})

async function ask(url: string, body: object): Promise<Row> {
  const answer = await post(`${url}/v1/chat/completions`, body)
  await answer.text()
  return rowOf(url, idOf(answer))
}
