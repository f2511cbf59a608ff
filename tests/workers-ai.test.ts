import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAiBinding } from 'incipit/workers-ai'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { uniqueText } from './support/prompts.ts'

const model = '@cf/moonshotai/kimi-k2.5'
let server: ServerProcess

beforeAll(async () => {
  server = await startServerProcess()
})
afterAll(() => server.stop())

test('CF-4 CF-8 the curl call of the documentation streams an answer, cold and then warm', async () => {
  const first = await documentedCurl()
  const second = await documentedCurl()
  expect(first.text.length).toBeGreaterThan(0)
  expect(first.usage).toMatchObject({ prompt_tokens_details: { cached_tokens: 0 } })
  expect(second.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(0)
})

test('CF-4 without stream the answer stands in the envelope of that API', async () => {
  const answer = await run({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({
    result: {
      response: expect.any(String),
      usage: expect.objectContaining({
        prompt_tokens: expect.any(Number),
        prompt_tokens_details: { cached_tokens: expect.any(Number) },
      }),
    },
    success: true,
    errors: [],
    messages: [],
  })
})

test('CF-4 errors stand in the envelope of that API', async () => {
  const answer = await run({ messages: 'Hello' })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({
    success: false,
    result: null,
    errors: [{ code: expect.any(Number), message: expect.stringContaining('messages') }],
  })
})

test('CF-4 CF-8 the chat route of that API reports usage in the last frame before [DONE], asked for or not', async () => {
  const answer = await fetch(`${server.url}/client/v4/accounts/acc/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4, stream: true }),
  })
  const frames = dataFrames(await answer.text())
  expect(frames.at(-1)).toBe('[DONE]')
  expect(JSON.parse(frames.at(-2) ?? '')).toMatchObject({
    usage: { prompt_tokens_details: { cached_tokens: expect.any(Number) } },
  })
})

test('CF-5 the binding runs a model, whole and streamed, with the session in its headers', async () => {
  const ai = createAiBinding({ baseUrl: server.url, accountId: 'acc', apiToken: 'unused' })
  const messages = [
    { role: 'system', content: uniqueText(200) },
    { role: 'user', content: 'Explain prefix caching.' },
  ]
  const options = { headers: { 'x-session-affinity': 'ses_12345678' } }
  const whole = await ai.run(model, { messages, max_tokens: 6 }, options)
  expect(whole.response).toEqual(expect.any(String))
  expect(whole.usage?.prompt_tokens_details?.cached_tokens).toBe(0)

  const stream = await ai.run(model, { messages, max_tokens: 6, stream: true }, options)
  expect(stream).toBeInstanceOf(ReadableStream)
  const frames = dataFrames(await new Response(stream).text())
  expect(frames.at(-1)).toBe('[DONE]')
  expect(JSON.parse(frames.at(-2) ?? '').usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(100)
})

test('CF-5 an error of the API rejects with its status and message', async () => {
  const ai = createAiBinding({ baseUrl: server.url, accountId: 'acc', apiToken: 'unused' })
  await expect(ai.run(model, { messages: [] })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining('messages'),
  })
})

async function run(body: unknown): Promise<Response> {
  return fetch(`${server.url}/client/v4/accounts/acc/ai/run/${model}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer token' },
    body: JSON.stringify(body),
  })
}

/** The call as documented, verbatim but for the base URL. */
async function documentedCurl() {
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    `curl -sS -X POST \\
"${server.url}/client/v4/accounts/{account_id}/ai/run/@cf/moonshotai/kimi-k2.5" \\
-g -H "Authorization: Bearer {api_token}" \\
-H "Content-Type: application/json" \\
-H "x-session-affinity: ses_12345678" \\
-d '{
"messages": [
{
"role": "system",
"content": "You are a helpful assistant."
},
{
"role": "user",
"content": "What is prefix caching and why does it matter?"
}
],
"max_tokens": 2400,
"stream": true
}'`,
  ])
  const frames = dataFrames(stdout)
  expect(frames.at(-1)).toBe('[DONE]')
  const parsed = frames
    .slice(0, -1)
    .map(
      (frame) =>
        JSON.parse(frame) as { response: string; usage?: { prompt_tokens_details: { cached_tokens: number } } },
    )
  const usage = parsed.at(-1)?.usage
  if (usage === undefined) throw new Error('the last frame carries no usage')
  return { text: parsed.map((frame) => frame.response).join(''), usage }
}

function dataFrames(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => line.slice('data: '.length))
}
