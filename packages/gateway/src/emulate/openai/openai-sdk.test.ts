import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { anEmulator, pixel, textOfTokens } from '../testing/emulators.ts'

const city = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
const user = (content: string): OpenAI.ChatCompletionUserMessageParam => ({ role: 'user', content })

async function aClient(): Promise<OpenAI> {
  const { url } = await anEmulator({ kind: 'openai' })
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'test', maxRetries: 0 })
}

test('P-2 the official client reads a completion and its cached tokens', async () => {
  const client = await aClient()
  const request = { model: 'gpt-4o', messages: [user(textOfTokens(1_300))] }
  const { data: cold, request_id: id } = await client.chat.completions.create(request).withResponse()
  expect(id).toMatch(/^req_/)
  const warm = await client.chat.completions.create(request)
  expect(cold.usage?.prompt_tokens_details?.cached_tokens).toBe(0)
  expect(warm.usage?.prompt_tokens_details).toEqual({ cached_tokens: 1_280, audio_tokens: 0 })
  expect(warm.choices[0]?.message.content).toBe(cold.choices[0]?.message.content)
})

test('a chat stream carries usage only when asked for, and the same text', async () => {
  const client = await aClient()
  const request = { model: 'gpt-4o', messages: [user('hello')] }
  const whole = await client.chat.completions.create(request)
  for (const include_usage of [false, true]) {
    const stream = await client.chat.completions.create({ ...request, stream: true, stream_options: { include_usage } })
    let text = ''
    let usage: unknown
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    expect(text).toBe(whole.choices[0]?.message.content)
    expect(usage).toEqual(include_usage ? whole.usage : undefined)
  }
})

test('a tool is called in chat and its result leads to text, streamed and not', async () => {
  const client = await aClient()
  const tools = [{ type: 'function' as const, function: { name: 'find', parameters: city, strict: true } }]
  const messages: OpenAI.ChatCompletionMessageParam[] = [user('where?')]
  const whole = await client.chat.completions.create({ model: 'gpt-5.5', messages, tools })
  const streamed = await client.chat.completions.stream({ model: 'gpt-5.5', messages, tools }).finalChatCompletion()
  const call = whole.choices[0]?.message.tool_calls?.[0]
  expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject(call ?? {})
  expect(whole.choices[0]?.finish_reason).toBe('tool_calls')
  expect(call).toMatchObject({ function: { name: 'find', arguments: '{"city":"city"}' } })
  messages.push(...whole.choices.map(({ message }) => message), {
    role: 'tool',
    tool_call_id: call?.id ?? '',
    content: 'Bern',
  })
  const answer = await client.chat.completions.create({ model: 'gpt-5.5', messages, tools })
  expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { role: 'assistant' } })
  await expect(
    client.chat.completions.create({ model: 'gpt-5.5', messages: messages.slice(0, 2), tools }),
  ).rejects.toThrow(/tool_call_ids did not have response messages/)
})

test('structured outputs work in both APIs, and strict mode wants closed schemas', async () => {
  const client = await aClient()
  const chat = await client.chat.completions.parse({
    model: 'gpt-4o',
    messages: [user('where?')],
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema: city, strict: true } },
  })
  expect(JSON.parse(chat.choices[0]?.message.content ?? '')).toEqual({ city: 'city' })
  const response = await client.responses.create({
    model: 'gpt-5.6-sol',
    input: 'where?',
    text: { format: { type: 'json_schema', name: 'place', schema: city, strict: true } },
  })
  expect(JSON.parse(response.output_text)).toEqual({ city: 'city' })
  const { additionalProperties: _closed, ...open } = city
  await expect(
    client.chat.completions.create({
      model: 'gpt-4o',
      messages: [user('where?')],
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema: open, strict: true } },
    }),
  ).rejects.toThrow(/'additionalProperties' is required/)
})

test('Responses: stream, continue, list the input, delete', async () => {
  const client = await aClient()
  const stream = client.responses.stream({ model: 'gpt-5.6-sol', input: 'hello' })
  const types: string[] = []
  for await (const event of stream) types.push(event.type)
  const first = await stream.finalResponse()
  expect(types[0]).toBe('response.created')
  expect(types.at(-1)).toBe('response.completed')
  expect(first.output_text).not.toBe('')
  const second = await client.responses.create({ model: 'gpt-5.6-sol', input: 'more', previous_response_id: first.id })
  expect(second.usage?.input_tokens).toBeGreaterThan(first.usage?.total_tokens ?? Infinity)
  expect((await client.responses.retrieve(second.id)).output_text).toBe(second.output_text)
  const items = await client.responses.inputItems.list(second.id)
  expect(items.data).toMatchObject([{ role: 'user', content: [{ type: 'input_text', text: 'more' }] }])
  await client.responses.delete(second.id)
  await expect(client.responses.retrieve(second.id)).rejects.toMatchObject({ status: 404 })
})

test('Responses: a function call and its output', async () => {
  const client = await aClient()
  const tools = [{ type: 'function' as const, name: 'find', parameters: city, strict: true }]
  const stream = client.responses.stream({ model: 'gpt-6.1-terra', input: 'where?', tools })
  const first = await stream.finalResponse()
  const call = first.output[0] as OpenAI.Responses.ResponseFunctionToolCall
  expect(call).toMatchObject({ type: 'function_call', name: 'find', arguments: '{"city":"city"}' })
  const answer = await client.responses.create({
    model: 'gpt-6.1-terra',
    tools,
    previous_response_id: first.id,
    input: [{ type: 'function_call_output', call_id: call.call_id, output: 'Bern' }],
  })
  expect(answer.output[0]?.type).toBe('message')
  await expect(
    client.responses.create({ model: 'gpt-6.1-terra', tools, previous_response_id: first.id, input: 'go on' }),
  ).rejects.toThrow(/No tool output found for function call/)
})

test('Responses: in the background, cancelled, counted and compacted', async () => {
  const emulator = await anEmulator({ kind: 'openai' })
  const client = new OpenAI({ baseURL: `${emulator.url}/v1`, apiKey: 'test', maxRetries: 0 })
  const start = (): Promise<OpenAI.Responses.Response> =>
    client.responses.create({ model: 'gpt-5.6-sol', input: 'hello', background: true })
  const [done, cancelled] = [await start(), await start()]
  expect(done.status).toBe('queued')
  expect((await client.responses.cancel(cancelled.id)).status).toBe('cancelled')
  emulator.advance(1_000)
  expect((await client.responses.retrieve(done.id)).status).toBe('completed')
  expect((await client.responses.retrieve(cancelled.id)).status).toBe('cancelled')
  const counted = await client.responses.inputTokens.count({ model: 'gpt-5.6-sol', input: 'hello' })
  expect(counted.input_tokens).toBe((await client.responses.retrieve(done.id)).usage?.input_tokens)
  const compacted = await client.responses.compact({ model: 'gpt-5.6-sol', input: 'hello' })
  expect(compacted.output.map(({ type }) => type)).toEqual(['message', 'compaction'])
  const next = [...compacted.output, { role: 'user', content: 'on' }] as OpenAI.Responses.ResponseInput
  await expect(client.responses.create({ model: 'gpt-5.6-sol', input: next })).resolves.toMatchObject({
    status: 'completed',
  })
})

test('images are counted by detail, and refused when they are none', async () => {
  const client = await aClient()
  const ask = (url: string, detail: 'low' | 'high'): Promise<OpenAI.ChatCompletion> =>
    client.chat.completions.create({
      model: 'gpt-4o',
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url, detail } }] }],
    })
  const url = `data:image/png;base64,${pixel}`
  const [low, high] = [await ask(url, 'low'), await ask(url, 'high')]
  expect((high.usage?.prompt_tokens ?? 0) - (low.usage?.prompt_tokens ?? 0)).toBe(765 - 85)
  await expect(ask('data:image/tiff;base64,AAAA', 'low')).rejects.toMatchObject({
    status: 400,
    code: 'invalid_image_format',
  })
})

test('embeddings are unit vectors, equal for equal texts and closer for similar ones', async () => {
  const client = await aClient()
  const input = ['the quick brown fox', 'the quick brown fox', 'the quick brown dog', 'entirely unrelated words here']
  const { data, usage } = await client.embeddings.create({ model: 'text-embedding-3-small', input, dimensions: 256 })
  const vectors = data.map(({ embedding }) => embedding)
  const dot = (a: number, b: number): number =>
    vectors[a]?.reduce((sum, value, index) => sum + value * (vectors[b]?.[index] ?? 0), 0) ?? 0
  expect(vectors[0]).toHaveLength(256)
  expect(dot(0, 1)).toBeCloseTo(1)
  expect(dot(0, 2)).toBeGreaterThan(dot(0, 3))
  expect(usage.prompt_tokens).toBeGreaterThan(0)
})

test('errors reach the client with param and code', async () => {
  const client = await aClient()
  const messages = [user('hello')]
  await expect(client.chat.completions.create({ model: 'none', messages })).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  })
  await expect(
    client.chat.completions.create({ model: 'gpt-4o', messages, incipit: {} } as never),
  ).rejects.toMatchObject({ status: 400, code: 'unknown_parameter', param: 'incipit' })
  await expect(client.chat.completions.create({ model: 'gpt-5.5', messages, max_tokens: 5 })).rejects.toMatchObject({
    code: 'unsupported_parameter',
    param: 'max_tokens',
  })
  expect((await client.models.list()).data.map(({ id }) => id)).toContain('gpt-5.6-sol')
})
