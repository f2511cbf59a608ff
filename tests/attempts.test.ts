import { startEmulator } from 'incipit/emulate'
import { expect, onTestFinished, test } from 'vitest'
import { startGateway } from './support/gateway.ts'
import { posted } from './support/post.ts'

test('an attempt that failed is an event of its own, found by the id it is listed under', async () => {
  const emulator = await startEmulator({ kind: 'openai' })
  const settings = 'kind: openai, api_key: sk-test'
  const gateway = await startGateway([{ name: 'oa', url: emulator.url, settings }])
  onTestFinished(async () => void (await Promise.all([gateway.stop(), emulator.close()])))
  emulator.fault({ status: 503, headers: { 'retry-after-ms': '1' }, times: 2 })
  const body = { model: 'gpt-5.6-sol', messages: [{ role: 'user', content: 'hello' }], max_completion_tokens: 8 }
  const { headers } = await posted(`${gateway.url}/v1/chat/completions`, body)
  const id = headers.get('x-incipit-request-id') ?? ''

  const listed = await fetch(`${gateway.url}/v1/events?fields=id,kind,parent_id,status`)
  const { data } = (await listed.json()) as { data: readonly Record<string, unknown>[] }
  const attempt = { kind: 'attempt', parent_id: id, status: 503 }
  expect(data.toSorted((a, b) => String(a['id']).localeCompare(String(b['id'])))).toEqual([
    { id, kind: 'request', parent_id: null, status: 200 },
    { id: `${id}_1`, ...attempt },
    { id: `${id}_2`, ...attempt },
  ])
  for (const number of [1, 2]) {
    const found = await fetch(`${gateway.url}/v1/events/${id}_${number}`)
    expect(await found.json()).toMatchObject({ id: `${id}_${number}`, ...attempt, upstream: 'oa' })
  }
  const absent = await fetch(`${gateway.url}/v1/events/${id}_3`)
  expect(absent.status).toBe(404)
})
