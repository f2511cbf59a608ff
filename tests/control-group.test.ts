import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { Row } from './support/ledger.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import type { RecordingUpstream, SentRequest } from './support/recording-upstream.ts'
import { startRecordingUpstream, takeOne } from './support/recording-upstream.ts'

const open: { stop?: () => Promise<void>; close?: () => Promise<void> }[] = []

afterEach(async () => {
  for (const { stop, close } of open.splice(0).toReversed()) await (stop ?? close)?.()
})

const on = { 'x-incipit-prefix-cache': 'on' }
const repairs = ['strip-billing-block', 'move-mark', 'drop-mark']

/** As Claude Code begins, with a mark where the API takes none: what Incipit repairs. */
const messagesBody = (session: string): string =>
  `{"model":"m", "max_tokens": 8, "metadata":{"user_id":"{\\"session_id\\":\\"${session}\\"}"},
    "system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2; cch=${session};"}, {"type":"text","text":"Rules."}],
    "messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"text","text":"","cache_control":{"type":"ephemeral"}}]}]}`

test('M-1 a session of the control group is sent as it came; one outside it is not, and the header of a client wins', async () => {
  const { gateway, upstream } = await start('kind: anthropic-compatible', 'control_fraction: 0.5')
  const rows = new Map<string, Row>()
  for (let index = 0; index < 40; index++) {
    const { row, sent } = await ask(gateway, upstream, messagesBody(`s${index}`))
    rows.set(`s${index}`, row)
    const isPassed = sent.body.toString() === messagesBody(`s${index}`)
    expect(isPassed).toBe(row['control'])
    expect(row.edits).toEqual(isPassed ? [] : repairs)
    expect(row['prefix_cache']).toBe(isPassed ? 'off' : 'on')
  }
  expect(new Set([...rows.values()].map((row) => row['control']))).toEqual(new Set([true, false]))
  for (const [session, before] of rows) {
    // All turns of a session are served alike.
    const { row } = await ask(gateway, upstream, messagesBody(session))
    expect(row['control']).toBe(before['control'])
    const { row: forced } = await ask(gateway, upstream, messagesBody(session), { headers: on })
    expect(forced).toMatchObject({ control: false, edits: repairs })
  }
})

test('M-1 an upstream is not helped to find the session of the control group again, unless the client does so itself', async () => {
  const { gateway, upstream } = await start('kind: fireworks, api_key: k', 'control_fraction: 1')
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
  const chat = { path: '/v1/chat/completions' }
  const { row, sent } = await ask(gateway, upstream, body, chat)
  expect(row).toMatchObject({ control: true, edits: [] })
  expect(sent.body.toString()).toBe(body)
  expect(sent.headers['x-session-affinity']).toBeUndefined()
  const named = await ask(gateway, upstream, body, { ...chat, headers: { 'x-session-affinity': 'mine' } })
  expect(named.sent.headers['x-session-affinity']).toMatch(/^ses_/)
  const treated = await ask(gateway, upstream, body, { ...chat, headers: on })
  expect(treated.sent.headers['x-session-affinity']).toMatch(/^ses_/)
})

test('M-1 the engine computes every prompt of the control group anew', async () => {
  const gateway = await startGateway([], { engine: true, config: 'control_fraction: 1' })
  open.push(gateway)
  const body = JSON.stringify({
    model: 'demo',
    max_tokens: 2,
    messages: [{ role: 'user', content: 'Hello '.repeat(50) }],
  })
  const ask = async (headers: Record<string, string> = {}): Promise<Row> => {
    const answer = await post(`${gateway.url}/v1/chat/completions`, body, { headers })
    await answer.text()
    return rowOf(gateway.url, idOf(answer))
  }
  for (let turn = 0; turn < 2; turn++) {
    const row = await ask()
    expect(row).toMatchObject({
      control: true,
      cached_input_tokens: 0,
      verdict: 'cold',
      cause: 'not_enabled',
      reuse: 'first',
    })
    expect(row['evaluated_tokens']).toBe(row['input_tokens'])
  }
  expect(await ask(on)).toMatchObject({ control: false, cached_input_tokens: 0, cause: 'cold_first_use' })
  expect(await ask(on)).toMatchObject({ control: false, verdict: 'warm' })
})

test('M-1 the fraction changes without a restart', async () => {
  const { gateway, upstream } = await start('kind: anthropic-compatible', '')
  const isControl = async (): Promise<unknown> => (await ask(gateway, upstream, messagesBody('s'))).row['control']
  expect(await isControl()).toBe(false)
  const text = (fraction: number): string =>
    `engine: { enabled: false }\ncontrol_fraction: ${fraction}\nupstreams: [{ name: up, base_url: "${upstream.url}", kind: anthropic-compatible }]\n`
  await writeFile(join(gateway.dataDir, 'incipit.yaml'), text(1))
  await expect.poll(isControl).toBe(true)
  await writeFile(join(gateway.dataDir, 'incipit.yaml'), text(1.5))
  await expect.poll(() => gateway.output()).toContain('control_fraction')
  expect(gateway.output()).toContain('a number from 0 to 1')
  expect(await isControl()).toBe(true)
})

async function start(
  settings: string,
  config: string,
): Promise<{ gateway: ServerProcess; upstream: RecordingUpstream }> {
  const upstream = await startRecordingUpstream()
  open.push(upstream)
  const gateway = await startGateway([{ name: 'up', url: upstream.url, settings }], { config })
  open.push(gateway)
  return { gateway, upstream }
}

async function ask(
  gateway: ServerProcess,
  upstream: RecordingUpstream,
  body: string,
  { path = '/v1/messages', headers = {} }: { readonly path?: string; readonly headers?: Record<string, string> } = {},
): Promise<{ row: Row; sent: SentRequest }> {
  const answer = await post(gateway.url + path, body, { headers })
  await answer.text()
  return { row: await rowOf(gateway.url, idOf(answer)), sent: takeOne(upstream) }
}
