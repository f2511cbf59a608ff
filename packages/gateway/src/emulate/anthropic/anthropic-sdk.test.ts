import Anthropic from '@anthropic-ai/sdk'
import { expect, test } from 'vitest'
import { anEmulator, pixel, textOfTokens } from '../testing/emulators.ts'

const model = 'claude-opus-5'
const weather = {
  name: 'get_weather',
  input_schema: {
    type: 'object' as const,
    properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'kelvin'] } },
    required: ['city', 'unit'],
  },
}

async function aClient(): Promise<Anthropic> {
  const { url } = await anEmulator({ kind: 'anthropic' })
  return new Anthropic({ baseURL: url, apiKey: 'test', maxRetries: 0 })
}

test('P-1 the official client reads a message, its usage and its request id', async () => {
  const client = await aClient()
  const { data: message, request_id: id } = await client.messages
    .create({ model, max_tokens: 200, messages: [{ role: 'user', content: 'hello' }] })
    .withResponse()
  expect(id).toMatch(/^req_/)
  expect(message.stop_reason).toBe('end_turn')
  expect(message.content[0]).toMatchObject({ type: 'text' })
  expect(message.usage).toMatchObject({ input_tokens: 2, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 })
})

test('P-1 a stream ends in the same message as the same request without one', async () => {
  const client = await aClient()
  const request = {
    model,
    max_tokens: 200,
    cache_control: { type: 'ephemeral' as const },
    messages: [{ role: 'user' as const, content: textOfTokens(600) }],
  }
  const streamed = await client.messages.stream(request).finalMessage()
  const whole = await client.messages.create(request)
  expect(streamed.content).toEqual(whole.content)
  expect(streamed.usage).toMatchObject({
    cache_creation_input_tokens: 600,
    cache_read_input_tokens: 0,
    input_tokens: 0,
  })
  expect(whole.usage).toMatchObject({ cache_creation_input_tokens: 0, cache_read_input_tokens: 600, input_tokens: 0 })
  expect(streamed.usage.output_tokens).toBe(whole.usage.output_tokens)
})

test('a tool is called with arguments that fit its schema, and its result leads to text', async () => {
  const client = await aClient()
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'How warm is it?' }]
  const call = await client.messages.stream({ model, max_tokens: 200, tools: [weather], messages }).finalMessage()
  const block = call.content.find(({ type }) => type === 'tool_use') as Anthropic.ToolUseBlock
  expect(call.stop_reason).toBe('tool_use')
  expect(block).toMatchObject({ name: 'get_weather', input: { city: 'city', unit: 'celsius' } })
  messages.push({ role: 'assistant', content: call.content })
  messages.push({ role: 'user', content: [{ type: 'tool_result', tool_use_id: block.id, content: '20' }] })
  const answer = await client.messages.create({ model, max_tokens: 200, tools: [weather], messages })
  expect(answer.content[0]?.type).toBe('text')
})

test('structured output follows its schema', async () => {
  const client = await aClient()
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', minimum: 3 } },
    required: ['n'],
    additionalProperties: false,
  }
  const message = await client.messages.create({
    model,
    max_tokens: 200,
    output_config: { format: { type: 'json_schema', schema } },
    messages: [{ role: 'user', content: 'a number' }],
  })
  expect(JSON.parse((message.content[0] as Anthropic.TextBlock).text)).toEqual({ n: 3 })
})

test('images are counted, and refused when they are none', async () => {
  const client = await aClient()
  const ask = (media_type: 'image/png', data: string): Promise<Anthropic.Message> =>
    client.messages.create({
      model,
      max_tokens: 20,
      messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type, data } }] }],
    })
  expect((await ask('image/png', pixel)).usage.input_tokens).toBe(1_600)
  await expect(ask('image/tiff' as 'image/png', pixel)).rejects.toThrow(/media_type: Input should be 'image\/jpeg'/)
  await expect(ask('image/png', 'no!')).rejects.toThrow(/invalid base64 data/)
})

test('thinking is signed, and a changed signature is refused', async () => {
  const client = await aClient()
  const thinking = { type: 'enabled' as const, budget_tokens: 1_024 }
  const first = await client.messages
    .stream({ model, max_tokens: 2_000, thinking, messages: [{ role: 'user', content: 'think' }] })
    .finalMessage()
  expect(first.content.map(({ type }) => type)).toEqual(['thinking', 'text'])
  const again = (content: Anthropic.ContentBlockParam[]): Promise<Anthropic.Message> =>
    client.messages.create({
      model,
      max_tokens: 2_000,
      thinking,
      messages: [
        { role: 'user', content: 'think' },
        { role: 'assistant', content },
        { role: 'user', content: 'more' },
      ],
    })
  await expect(again(first.content as Anthropic.ContentBlockParam[])).resolves.toBeTruthy()
  const forged = { ...(first.content[0] as Anthropic.ThinkingBlock), signature: 'forged' }
  await expect(again([forged, { type: 'text', text: 'x' }])).rejects.toThrow(
    /messages.1.content.0: Invalid `signature`/,
  )
})

test('models are listed and found, and unknown ones are refused', async () => {
  const client = await aClient()
  const ids: string[] = []
  for await (const { id } of client.models.list()) ids.push(id)
  expect(ids).toContain('claude-opus-5')
  expect(new Set(ids).size).toBe(ids.length)
  await expect(client.models.retrieve('claude-sonnet-4-5-20250929')).resolves.toMatchObject({ type: 'model' })
  await expect(
    client.messages.create({ model: 'claude-none', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] }),
  ).rejects.toMatchObject({ status: 404, error: { error: { type: 'not_found_error' } } })
})

test('tokens are counted as messages are billed', async () => {
  const client = await aClient()
  const request = { model, system: textOfTokens(50), messages: [{ role: 'user' as const, content: textOfTokens(7) }] }
  expect(await client.messages.countTokens(request)).toEqual({ input_tokens: 57 })
  expect((await client.messages.create({ ...request, max_tokens: 1 })).usage.input_tokens).toBe(57)
})

test('an answer that is too long for max_tokens is cut there', async () => {
  const client = await aClient()
  const message = await client.messages.create({ model, max_tokens: 3, messages: [{ role: 'user', content: 'hello' }] })
  expect(message.stop_reason).toBe('max_tokens')
  expect(message.usage.output_tokens).toBe(3)
})

test('P-1 D-56 the beta client sends its headers, and diagnostics come back', async () => {
  const client = await aClient()
  const request = {
    model,
    max_tokens: 20,
    betas: ['cache-diagnosis-2026-04-07'],
    messages: [{ role: 'user' as const, content: 'hello' }],
  }
  const first = await client.beta.messages.create({ ...request, diagnostics: { previous_message_id: null } })
  expect(first.diagnostics).toEqual({ cache_miss_reason: null })
  const diagnostics = { previous_message_id: first.id }
  const changed = await client.beta.messages.create({ ...request, system: 'new', diagnostics })
  expect(changed.diagnostics?.cache_miss_reason?.type).toBe('system_changed')
})
