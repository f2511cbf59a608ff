import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { rowOf } from './support/ledger.ts'
import { post } from './support/post.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import { chatAnswer, chatStream, startRecordingUpstream } from './support/recording-upstream.ts'

let upstream: RecordingUpstream
let gateway: ServerProcess

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  gateway = await startGateway([
    { name: 'oa', url: upstream.url, settings: 'kind: openai, api_key: sk-upstream, models: ["*"], max_retries: 0' },
  ])
})
afterAll(async () => {
  await gateway?.stop()
  await upstream?.close()
})

const messages = [{ role: 'user', content: 'Hi' }]
const whole = JSON.stringify(chatAnswer)

test.each([false, true])(
  'M-2 usage that nests without end spoils neither the answer nor its row (stream: %s)',
  async (stream) => {
    const nested = `"usage":{"prompt_tokens":10,"completion_tokens":2,"x":${'['.repeat(6_000)}${']'.repeat(6_000)}}`
    upstream.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
      const event = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],${nested}}\n\n`
      response.end(
        stream ? chatStream.replace('data: [DONE]', `${event}data: [DONE]`) : `${whole.slice(0, -1)},${nested}}`,
      )
    }
    const answer = await post(`${gateway.url}/v1/chat/completions`, { model: 'm', stream, messages })
    expect(answer.status, answer.text.slice(0, 200)).toBe(200)
    expect(await rowOf(gateway.url, answer.headers.get('x-incipit-request-id'))).toMatchObject({ status: 200 })
    expect(gateway.output()).not.toContain('a request failed unexpectedly')
  },
)

test('a cursor that nobody gave out is refused, whatever is in it', async () => {
  const positions = [
    [2e12, 'a\0b'],
    [2e12, '\ud800'],
    [2e12, ''],
    [2e12, 'x'.repeat(5_000)],
    [1e308, 'req_1'],
    [1.5, 'req_1'],
    [2 ** 53, 'req_1'],
  ]
  for (const position of positions) {
    const cursor = Buffer.from(JSON.stringify(position)).toString('base64url')
    for (const format of ['json', 'jsonl', 'csv']) {
      const answer = await fetch(`${gateway.url}/v1/events?format=${format}&cursor=${cursor}`)
      const text = await answer.text()
      expect([position, answer.status, text]).toEqual([position, 400, expect.stringContaining('"param":"cursor"')])
    }
  }
})

test('M-3 what answers without usage have cost is not known, which is not 0', async () => {
  const { usage: _, ...silent } = chatAnswer
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(silent))
  }
  for (const model of ['gpt-5.4', 'gpt-5.4', 'm']) {
    const answer = await post(`${gateway.url}/v1/chat/completions`, { model, messages })
    expect(answer.status).toBe(200)
    await rowOf(gateway.url, answer.headers.get('x-incipit-request-id'))
  }
  const told = await (await fetch(`${gateway.url}/v1/summary?model=gpt-5.4&group_by=model`)).json()
  const unknown = {
    unreported_requests: 2,
    cost_usd: null,
    cost_parts: { fresh: null, read: null, write: null, output: null },
    counterfactual_usd: null,
    saved_usd: null,
    saved_ratio: null,
  }
  expect(told).toMatchObject({ ...unknown, rows: [unknown] })
})
