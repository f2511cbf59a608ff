import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { childOf, childrenOf, isRunning } from './support/engine-child.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import { uniqueText } from './support/prompts.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess({ config: 'engine: { max_concurrent: 16 }' })
})
afterAll(() => server.stop())

/** A form that takes as long as the bound on tokens allows. */
const endless = { type: 'array', items: { type: 'integer' }, minItems: 1_000 }
const schema = { type: 'object', properties: { a: endless }, required: ['a'], additionalProperties: false }
const system = 'The engine is ended without a warning while it answers this. '.repeat(20)
const messages = [{ role: 'user', content: 'Go on.' }]

/** Answers that are under way for long, in each dialect: path, body, and what its error event looks like. */
const dialects = {
  chat: {
    path: '/v1/chat/completions',
    body: (more: object = {}) => ({ messages: [{ role: 'system', content: system }, ...messages], ...more }),
    format: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } },
    begun: '"content":"',
    error: /^data: \{"error":\{.*"code":"engine_failed".*\}\}$/m,
    end: 'data: [DONE]',
  },
  responses: {
    path: '/v1/responses',
    body: (more: object = {}) => ({ instructions: system, input: 'Go on.', ...more }),
    format: { text: { format: { type: 'json_schema', name: 'a', schema } } },
    begun: 'response.output_text.delta',
    error: /^event: error\ndata: .*engine_failed|^event: response\.failed\ndata: .*engine_failed/m,
    end: 'response.completed',
  },
  messages: {
    path: '/v1/messages',
    body: (more: object = {}) => ({ system, messages, ...more }),
    format: { output_config: { format: { type: 'json_schema', schema } } },
    begun: 'content_block_delta',
    error: /^event: error\ndata: .*engine_failed/m,
    end: 'message_stop',
  },
} as const
type Dialect = keyof typeof dialects

interface Stream {
  readonly id: string | null
  readonly status: number
  readonly begun: Promise<void>
  readonly text: Promise<string>
}

/** Sends a request that streams, and reads on until it ends. */
async function open(dialect: Dialect, more: object = {}): Promise<Stream> {
  const { path, body, begun: sign } = dialects[dialect]
  const limit = dialect === 'responses' ? 'max_output_tokens' : 'max_tokens'
  const sent = { model: 'demo', stream: true, [limit]: 30_000, ...body(more) }
  const answer = await post(server.url + path, sent)
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => void (begin = resolve))
  const read = async (): Promise<string> => {
    let text = ''
    if (answer.body === null) throw new Error('an answer without a body')
    const decoder = new TextDecoder()
    for await (const bytes of answer.body) {
      text += decoder.decode(bytes, { stream: true })
      if (text.includes(sign)) begin()
    }
    begin()
    return text
  }
  return { id: idOf(answer), status: answer.status, begun, text: read() }
}

/** Sends a request that answers whole. */
async function ask(text = 'Go on.', more: object = {}): Promise<Response> {
  const asked = [
    { role: 'system', content: system },
    { role: 'user', content: text },
  ]
  return post(`${server.url}/v1/chat/completions`, { model: 'demo', messages: asked, max_tokens: 8, ...more })
}

async function engineState(): Promise<{ restarts: number; running: number; disk: Record<string, number> }> {
  const answer = await fetch(`${server.url}/v1/engine`)
  if (!answer.ok) throw new Error(`/v1/engine is ${answer.status}`)
  const state = (await answer.json()) as {
    restarts: number
    running: number
    models: { disk: Record<string, number> }[]
  }
  return { restarts: state.restarts, running: state.running, disk: state.models[0]?.disk ?? {} }
}

async function back(): Promise<void> {
  await expect.poll(async () => (await ask()).status, { timeout: 60_000 }).toBe(200)
}

describe('a native crash is not our crash', () => {
  test.each(['SIGSEGV', 'SIGKILL', 'SIGABRT'] as const)(
    'eight streams in three dialects end in an error event by %s, and the next one reads the prefix from disk',
    { timeout: 120_000 },
    async (signal) => {
      expect((await ask()).status).toBe(200)
      await expect.poll(async () => (await engineState()).disk['blocks']).toBeGreaterThan(0)
      const kinds: Dialect[] = ['chat', 'responses', 'messages', 'chat', 'responses', 'messages', 'chat', 'messages']
      const streams = await Promise.all(kinds.map((dialect) => open(dialect, dialects[dialect].format)))
      expect(streams.map(({ status }) => status)).toEqual(kinds.map(() => 200))
      await Promise.all(streams.map(({ begun }) => begun))
      const { restarts } = await engineState()
      const pid = childOf(server.pid)
      process.kill(pid, signal)
      for (const [index, { text, id }] of streams.entries()) {
        const { error, end, begun } = dialects[kinds[index] ?? 'chat']
        const received = await text
        expect(received).toContain(begun)
        expect(received).toMatch(error)
        expect(received).toContain(signal)
        expect(received).not.toContain(end)
        const row = await rowOf(server.url, id)
        expect(row).toMatchObject({ status: 502, error_code: 'engine_failed', input_tokens: expect.any(Number) })
      }
      await back()
      const after = await engineState()
      expect(after.restarts).toBeGreaterThan(restarts)
      expect(after.disk).toMatchObject({ discarded: 0 })
      expect(after.disk['restored']).toBeGreaterThan(0)
      expect(after.disk['read']).toBeGreaterThan(0)
      expect(isRunning(pid)).toBe(false)
      expect(childrenOf(server.pid)).toHaveLength(1)
      expect((await fetch(`${server.url}/health/readiness`)).status).toBe(200)
    },
  )

  test(
    'a prompt that is being evaluated, an answer that is not streamed and embeddings fail with a status',
    { timeout: 120_000 },
    async () => {
      const long = uniqueText(20_000)
      const inputs = Array.from({ length: 2_000 }, () => uniqueText(40))
      const asked = [
        ask(long),
        post(`${server.url}/v1/messages`, {
          model: 'demo',
          max_tokens: 9,
          messages: [{ role: 'user', content: long }],
        }),
        post(`${server.url}/v1/responses`, { model: 'demo', input: long, stream: true }),
        post(`${server.url}/v1/embeddings`, { model: 'demo', input: inputs }),
      ]
      await expect.poll(async () => (await engineState()).running).toBeGreaterThan(0)
      process.kill(childOf(server.pid), 'SIGSEGV')
      const answers = await Promise.all(asked)
      for (const answer of answers) {
        const text = await answer.text()
        expect([answer.status, text]).toEqual([
          502,
          expect.stringMatching(/engine_failed[^]*SIGSEGV|SIGSEGV[^]*engine_failed/),
        ])
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
        expect(await rowOf(server.url, idOf(answer))).toMatchObject({ status: 502, error_code: 'engine_failed' })
      }
      await back()
    },
  )
})
