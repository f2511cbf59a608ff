import { expect, test } from 'vitest'
import { anEmulator, post, textOfTokens } from './testing/emulators.ts'

const mark = { cache_control: { type: 'ephemeral' } }
const body = {
  model: 'claude-opus-5',
  max_tokens: 5,
  ...mark,
  messages: [{ role: 'user', content: textOfTokens(600) }],
}

test('the clock, the cache, the requests and the faults are controlled over HTTP', async () => {
  const emulator = await anEmulator({ kind: 'anthropic', clock: { now: () => 1_000 as never } })
  const get = async (path: string): Promise<Record<string, never>> =>
    (await fetch(`${emulator.url}${path}`)).json() as never
  const sent = JSON.stringify(body, undefined, 3)
  await post(emulator, '/v1/messages?beta=true', sent, { 'x-trace': 'a' })
  expect(await get('/admin/cache')).toMatchObject({
    now_ms: 1_000,
    entries: [{ tokens: 600, ttl_ms: 300_000, written_at_ms: 1_000, expires_at_ms: 301_000 }],
  })
  expect((await post(emulator, '/admin/clock', { advance_ms: 300_000 })).json).toEqual({ now_ms: 301_000 })
  expect((await get('/admin/cache'))['entries']).toEqual([])
  const { requests } = (await get('/admin/requests')) as unknown as { requests: Record<string, string>[] }
  expect(requests).toMatchObject([{ method: 'POST', path: '/v1/messages?beta=true', headers: { 'x-trace': 'a' } }])
  expect(Buffer.from(requests[0]?.['body_base64'] ?? '', 'base64').toString()).toBe(sent)
  await fetch(`${emulator.url}/admin/requests`, { method: 'DELETE' })
  expect((await get('/admin/requests'))['requests']).toEqual([])
  await post(emulator, '/admin/faults', { status: 500, times: 'always' })
  expect((await post(emulator, '/v1/messages', body)).status).toBe(500)
  await fetch(`${emulator.url}/admin/faults`, { method: 'DELETE' })
  expect((await post(emulator, '/v1/messages', body)).status).toBe(200)
  await post(emulator, '/admin/reset', {})
  expect(await get('/admin/cache')).toEqual({ now_ms: 1_000, entries: [] })
})

test('requests are kept in order of arrival, with the exact bytes', async () => {
  const emulator = await anEmulator({ kind: 'vllm' })
  const bodies = ['{"a" : 1}', '{ not JSON', '{"é":"\\u00e9"}']
  for (const sent of bodies) await post(emulator, '/v1/chat/completions', sent)
  expect(emulator.requests().map((request) => request.body.toString())).toEqual(bodies)
})

test('time does not run backwards, and what is unknown is named', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  expect((await post(emulator, '/admin/clock', { advance_ms: -1 })).json).toEqual({
    error: { message: 'advance_ms must be 0 or more, got -1' },
  })
  expect((await post(emulator, '/admin/clock', { advance_ms: '5' })).text).toContain(
    '/advance_ms must be a number, got string',
  )
  expect((await post(emulator, '/admin/clock', '[')).status).toBe(400)
  expect(() => emulator.advance(NaN)).toThrow(RangeError)
  expect((await post(emulator, '/admin/none', {})).status).toBe(404)
})

test('a web page cannot control an emulator through the user’s browser', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  expect((await post(emulator, '/admin/reset', {}, { origin: 'https://example.com' })).status).toBe(403)
})

test('equal requests get equal answers, other prompts other ones, and a reset changes nothing in them', async () => {
  const emulator = await anEmulator({ kind: 'anthropic' })
  const said = async (content: string): Promise<unknown> =>
    (await post(emulator, '/v1/messages', { ...body, max_tokens: 200, messages: [{ role: 'user', content }] })).json[
      'content'
    ]
  const first = await said('one')
  expect(await said('one')).toEqual(first)
  expect(await said('two')).not.toEqual(first)
  emulator.reset()
  expect(await said('one')).toEqual(first)
})
