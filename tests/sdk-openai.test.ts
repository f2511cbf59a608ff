import OpenAI, {
  APIError,
  AuthenticationError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Destination, Providers } from './support/providers.ts'
import { answerForEver, bodiesOf, ledgerRow, pdf, pixel, startProviders } from './support/providers.ts'
import { answerShortly, chatStream, responsesStream } from './support/recording-upstream.ts'

const own: Destination = { name: 'OpenAI', model: 'gpt-5.6-sol' }
const other: Destination = { name: 'Anthropic', model: 'claude-opus-5' }
const engine: Destination = { name: 'the engine', model: 'demo' }
const everywhere = [own, other, engine]
const providersOnly = [own, other]

const place = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'kelvin'] } },
  required: ['city', 'unit'],
  additionalProperties: false,
}
const find = {
  type: 'function' as const,
  function: { name: 'find', description: 'Finds.', parameters: place, strict: true },
}
const flatFind = { type: 'function' as const, name: 'find', description: 'Finds.', parameters: place, strict: true }
const picture = `data:image/png;base64,${pixel}`

let providers: Providers
let client: OpenAI

beforeAll(async () => {
  providers = await startProviders()
  client = new OpenAI({ baseURL: `${providers.gateway.url}/v1`, apiKey: 'unused', maxRetries: 0 })
})
beforeEach(() => {
  providers.openai.reset()
  providers.anthropic.reset()
  providers.recorder.requests.length = 0
  providers.recorder.answer = answerShortly
})
afterAll(() => providers.stop())

test.each(['', '/', '/v1', '/v1/'])('a base URL that ends in "%s" leads to chat, Responses and models', async (end) => {
  const there = new OpenAI({ baseURL: `${providers.gateway.url}${end}`, apiKey: 'unused', maxRetries: 0 })
  const chat = await there.chat.completions.create({ model: own.model, messages: [{ role: 'user', content: 'hello' }] })
  const response = await there.responses.create({ model: own.model, input: 'hello' })
  expect(chat.choices[0]?.message.content).toBeTruthy()
  expect(response.output_text).toBeTruthy()
  expect((await there.models.list()).data.length).toBeGreaterThan(3)
})

describe.each(everywhere)('to $name', ({ model }) => {
  test('chat: whole, streamed and through the helper are one answer with one usage, as the ledger has it', async () => {
    const request = {
      model,
      messages: [{ role: 'user' as const, content: `hello ${model}` }],
      max_completion_tokens: 24,
      temperature: 0,
    }
    await client.chat.completions.create(request)
    const { data: whole, response } = await client.chat.completions.create(request).withResponse()
    const text = whole.choices[0]?.message.content
    expect(text).toBeTruthy()

    const parts: string[] = []
    let usage: OpenAI.CompletionUsage | undefined
    const stream = await client.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    })
    for await (const chunk of stream) {
      parts.push(chunk.choices[0]?.delta.content ?? '')
      usage = chunk.usage ?? usage
    }
    expect(parts.length).toBeGreaterThan(2)
    expect([parts.join(''), usage]).toEqual([text, whole.usage])

    const helped = await client.chat.completions.stream(request).finalChatCompletion()
    expect(helped.choices[0]?.message.content).toBe(text)
    expect(helped.choices[0]?.finish_reason).toBe(whole.choices[0]?.finish_reason)

    const row = await ledgerRow(providers.gateway.url, response.headers.get('x-incipit-request-id'))
    expect(row).toMatchObject({
      dialect: 'openai-chat',
      model,
      status: 200,
      input_tokens: whole.usage?.prompt_tokens,
      cached_input_tokens: whole.usage?.prompt_tokens_details?.cached_tokens,
    })
    expect(row.usage['output']).toBe(whole.usage?.completion_tokens)
  })

  test('Responses: whole, streamed and through the helper are one answer with one usage', async () => {
    const request = { model, input: `good day ${model}`, max_output_tokens: 24, temperature: 0 }
    await client.responses.create(request)
    const whole = await client.responses.create(request)
    expect(whole.output_text).toBeTruthy()
    const events: OpenAI.Responses.ResponseStreamEvent[] = []
    for await (const event of await client.responses.create({ ...request, stream: true })) events.push(event)
    const deltas = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []))
    expect(deltas.join('')).toBe(whole.output_text)
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index))
    const helped = await client.responses.stream(request).finalResponse()
    expect([helped.output_text, helped.status, helped.usage]).toEqual([whole.output_text, whole.status, whole.usage])
  })

  test('chat: an image as bytes and by its address, a file, and a system prompt are taken', async () => {
    const ask = async (content: OpenAI.ChatCompletionContentPart[]): Promise<number> => {
      const messages: OpenAI.ChatCompletionMessageParam[] = [
        { role: 'system', content: 'Look closely.' },
        { role: 'user', content: [...content, { type: 'text', text: 'What is this?' }] },
      ]
      const answer = await client.chat.completions.create({ model, messages, max_completion_tokens: 16 })
      return answer.usage?.prompt_tokens ?? 0
    }
    const plain = await ask([])
    expect(await ask([{ type: 'image_url', image_url: { url: picture } }])).toBeGreaterThan(plain)
    expect(await ask([{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }])).toBeGreaterThan(plain)
    const file_data = `data:application/pdf;base64,${pdf}`
    expect(await ask([{ type: 'file', file: { filename: 'a.pdf', file_data } }])).toBeGreaterThan(plain)
  })

  test('Responses: images and files are taken', async () => {
    const ask = async (content: OpenAI.Responses.ResponseInputContent[]): Promise<number> => {
      const input: OpenAI.Responses.ResponseInput = [
        { role: 'user', content: [...content, { type: 'input_text', text: 'What is this?' }] },
      ]
      const answer = await client.responses.create({
        model,
        instructions: 'Look closely.',
        input,
        max_output_tokens: 16,
      })
      return answer.usage?.input_tokens ?? 0
    }
    const plain = await ask([])
    expect(await ask([{ type: 'input_image', image_url: picture, detail: 'auto' }])).toBeGreaterThan(plain)
    const file_data = `data:application/pdf;base64,${pdf}`
    expect(await ask([{ type: 'input_file', filename: 'a.pdf', file_data }])).toBeGreaterThan(plain)
    expect(await ask([{ type: 'input_file', file_url: 'https://example.com/a.pdf' }])).toBeGreaterThan(plain)
  })
})

describe.each(providersOnly)('tools at $name', ({ model }) => {
  test('chat: a call, its result, an answer; streamed and whole call alike', async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'How warm is it?' }]
    const whole = await client.chat.completions.create({ model, messages, tools: [find] })
    const [choice] = whole.choices
    expect(choice?.finish_reason).toBe('tool_calls')
    const call = choice?.message.tool_calls?.[0]
    expect(call).toMatchObject({ type: 'function', function: { name: 'find' } })
    const streamed = await client.chat.completions.stream({ model, messages, tools: [find] }).finalChatCompletion()
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'find' } })
    const result = { role: 'tool' as const, tool_call_id: call?.id ?? '', content: '20 degrees' }
    const answer = await client.chat.completions.create({
      model,
      messages: [...messages, ...whole.choices.map(({ message }) => message), result],
      tools: [find],
    })
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: expect.stringMatching(/./) } })
    expect(lastBody(model)).toContain('20 degrees')
  })

  test('Responses: a call, its output, an answer', async () => {
    const first = await client.responses.stream({ model, input: 'How warm?', tools: [flatFind] }).finalResponse()
    const call = first.output.find((item) => item.type === 'function_call')
    expect(call).toMatchObject({ name: 'find', status: 'completed' })
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city: 'city', unit: 'celsius' })
    const answer = await client.responses.create({
      model,
      tools: [flatFind],
      store: false,
      input: [
        { role: 'user', content: 'How warm?' },
        ...first.output.filter((item) => item.type === 'function_call'),
        { type: 'function_call_output', call_id: call?.call_id ?? '', output: '20 degrees' },
      ],
    })
    expect(answer.output_text).toBeTruthy()
    expect(lastBody(model)).toContain('20 degrees')
  })

  test('a forced call is made, and no tool is called where none may be', async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'hello' }]
    const ask = async (tool_choice: OpenAI.ChatCompletionToolChoiceOption) =>
      (await client.chat.completions.create({ model, messages, tools: [find], tool_choice })).choices[0]?.finish_reason
    expect(await ask({ type: 'function', function: { name: 'find' } })).toBe('tool_calls')
    expect(await ask('required')).toBe('tool_calls')
    expect(await ask('none')).toBe('stop')
  })

  test('structured output: chat and Responses parse to what the schema asks for', async () => {
    const chat = await client.chat.completions.parse({
      model,
      messages: [{ role: 'user', content: 'where?' }],
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema: place, strict: true } },
    })
    const response = await client.responses.parse({
      model,
      input: 'where?',
      text: { format: { type: 'json_schema', name: 'place', schema: place, strict: true } },
    })
    expect(chat.choices[0]?.message.parsed).toEqual({ city: 'city', unit: 'celsius' })
    expect(response.output_parsed).toEqual({ city: 'city', unit: 'celsius' })
    expect(lastBody(model)).toContain(JSON.stringify(place))
  })
})

test('tools at the engine: definitions, calls and results are part of the prompt', async () => {
  const messages: OpenAI.ChatCompletionMessageParam[] = [
    { role: 'user', content: 'How warm is it?' },
    {
      role: 'assistant',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"city":"Bern"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: '20 degrees' },
  ]
  const tokens = async (tools: OpenAI.ChatCompletionTool[], result: string): Promise<number> => {
    const answer = await client.chat.completions.create({
      model: engine.model,
      messages: [...messages.slice(0, 2), { role: 'tool', tool_call_id: 'call_1', content: result }],
      tools,
      max_completion_tokens: 8,
    })
    expect(answer.choices[0]?.message.content).toEqual(expect.any(String))
    return answer.usage?.prompt_tokens ?? 0
  }
  const with20 = await tokens([find], '20 degrees')
  expect(with20).toBeGreaterThan((await tokens([], '20 degrees')) + 20)
  expect(await tokens([find], '20 degrees, with a wind from the north')).toBeGreaterThan(with20)
  const response = await client.responses.create({
    model: engine.model,
    tools: [flatFind],
    max_output_tokens: 8,
    input: [
      { role: 'user', content: 'How warm is it?' },
      { type: 'function_call', call_id: 'call_1', name: 'find', arguments: '{"city":"Bern"}' },
      { type: 'function_call_output', call_id: 'call_1', output: '20 degrees' },
    ],
  })
  expect(response.usage?.input_tokens).toBe(with20)
})

test('reasoning that only its provider can read goes back to it byte for byte', async () => {
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAAAB+/opaque==' }
  await client.responses.create({
    model: 'gpt-recorded',
    store: false,
    include: ['reasoning.encrypted_content'],
    reasoning: { effort: 'high', summary: 'auto' },
    input: [
      { role: 'user', content: 'hello' },
      reasoning as OpenAI.Responses.ResponseReasoningItem,
      { role: 'assistant', content: 'well' },
      { role: 'user', content: 'more' },
    ],
  })
  const [sent] = providers.recorder.requests
  expect(sent?.body.toString()).toContain(JSON.stringify(reasoning))
  expect(sent?.path).toBe('/v1/responses')
})

describe('errors', () => {
  const ask = (model: string): Promise<unknown> =>
    client.chat.completions.create({ model, messages: [{ role: 'user', content: 'hello' }] })

  test('of an upstream of the same family come back unmodified, as typed errors of the client', async () => {
    const body = JSON.stringify({ model: 'gpt-4.99', messages: [{ role: 'user', content: 'hello' }] })
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-upstream' }
    const direct = await fetch(`${providers.openai.url}/v1/chat/completions`, { method: 'POST', headers, body })
    const through = await fetch(`${providers.gateway.url}/v1/chat/completions`, { method: 'POST', headers, body })
    expect([through.status, await through.text()]).toEqual([direct.status, await direct.text()])
    const error = await ask('gpt-4.99').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({
      status: 404,
      code: 'model_not_found',
      message: expect.stringMatching(/does not exist/),
    })
    const row = await ledgerRow(
      providers.gateway.url,
      (error as InstanceType<typeof NotFoundError>).headers?.get('x-incipit-request-id'),
    )
    expect(row).toMatchObject({ status: 404, upstream: 'openai' })
  })

  test.each([
    [429, RateLimitError],
    [500, InternalServerError],
    [401, AuthenticationError],
    [403, PermissionDeniedError],
  ])('%i is a typed error, in the words of the upstream, of either family', async (status, kind) => {
    for (const { model } of providersOnly) {
      const emulator = model === own.model ? providers.openai : providers.anthropic
      const message = `words of the upstream for ${status}`
      const body =
        model === own.model
          ? { error: { message, type: 't', code: 'c' } }
          : { type: 'error', error: { type: 't', message } }
      emulator.fault({ status, body, headers: { 'retry-after': '7' } })
      const error = await ask(model).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(kind)
      expect(error).toMatchObject({ status, message: expect.stringContaining(message) })
      expect((error as InstanceType<typeof APIError>).headers?.get('retry-after')).toBe('7')
    }
  })

  test('of the gateway itself are typed errors too, with the place of what is wrong', async () => {
    const broken = client.responses.create({
      model: own.model,
      input: [{ role: 'user', content: 7 as unknown as string }],
    })
    await expect(broken).rejects.toMatchObject({ status: 400 })
    const unknown = client.responses.create({ model: other.model, input: 'x', previous_response_id: 'resp_1' })
    await expect(unknown).rejects.toMatchObject({
      status: 400,
      param: '/previous_response_id',
      code: 'unsupported_feature',
    })
    await expect(client.responses.compact({ model: other.model, input: 'x' })).rejects.toMatchObject({ status: 400 })
  })

  test('in the middle of a stream is thrown by the client, whichever family it comes from', async () => {
    for (const { model } of providersOnly) {
      const emulator = model === own.model ? providers.openai : providers.anthropic
      for (const open of [
        () => client.chat.completions.create({ model, messages: [{ role: 'user', content: 'hello' }], stream: true }),
        () => client.responses.create({ model, input: 'hello', stream: true }),
      ]) {
        emulator.fault({ error_event: 4 })
        await expect(failureOf(open)).resolves.toMatch(/Overloaded|The server had an error/)
      }
    }
  })
})

test.each([
  ['chat', chatStream.slice(0, 200)],
  ['Responses', responsesStream.slice(0, 600)],
])('an aborted stream of %s is aborted upstream, and the ledger says 499', async (path, bytes) => {
  const left = answerForEver(providers.recorder, bytes)
  const controller = new AbortController()
  const options = { signal: controller.signal, headers: { 'x-session-id': `abort-${path}` } }
  const read = async (): Promise<void> => {
    const stream =
      path === 'chat'
        ? await client.chat.completions.create(
            { model: 'gpt-recorded', messages: [{ role: 'user', content: 'x' }], stream: true },
            options,
          )
        : await client.responses.create({ model: 'gpt-recorded', input: 'x', stream: true }, options)
    for await (const _ of stream) controller.abort()
  }
  await read().catch(() => undefined)
  expect(controller.signal.aborted).toBe(true)
  await left
  await expect
    .poll(async () => (await eventsOf(`abort-${path}`)).map(({ status, error_code }) => [status, error_code]))
    .toEqual([[499, 'client_closed']])
})

test('tokens are counted by OpenAI, by the engine, and where nobody can count that is said', async () => {
  const count = (model: string): Promise<OpenAI.Responses.InputTokenCountResponse> =>
    client.responses.inputTokens.count({ model, input: 'How many are these?' })
  const direct = new OpenAI({ baseURL: `${providers.openai.url}/v1`, apiKey: 'x', maxRetries: 0 })
  expect(await count(own.model)).toEqual(
    await direct.responses.inputTokens.count({ model: own.model, input: 'How many are these?' }),
  )
  const answer = await client.responses.create({
    model: engine.model,
    input: 'How many are these?',
    max_output_tokens: 1,
  })
  expect((await count(engine.model)).input_tokens).toBe(answer.usage?.input_tokens)
  await expect(count(other.model)).rejects.toMatchObject({ status: 404 })
})

test('models are listed and found in the shape of OpenAI, those of every upstream and the engine', async () => {
  const ids: string[] = []
  for await (const model of client.models.list()) {
    expect(model).toMatchObject({ object: 'model', created: expect.any(Number), owned_by: expect.any(String) })
    ids.push(model.id)
  }
  expect(ids).toEqual(expect.arrayContaining([own.model, other.model, engine.model, 'gpt-recorded']))
  expect(new Set(ids).size).toBe(ids.length)
  expect(await client.models.retrieve(other.model)).toMatchObject({ id: other.model, owned_by: 'anthropic' })
  expect(await client.models.retrieve(engine.model)).toMatchObject({ id: engine.model, owned_by: 'engine' })
  await expect(client.models.retrieve('no-such-model')).rejects.toBeInstanceOf(NotFoundError)
})

test('stored responses: continued, fetched, listed, cancelled, deleted, compacted', async () => {
  const first = await client.responses.create({ model: own.model, input: 'hello' })
  const second = await client.responses.create({ model: own.model, input: 'more', previous_response_id: first.id })
  expect(second.usage?.input_tokens).toBeGreaterThan(first.usage?.input_tokens ?? 0)
  expect(await client.responses.retrieve(second.id)).toMatchObject({ id: second.id, output_text: second.output_text })
  const again: string[] = []
  for await (const event of await client.responses.retrieve(second.id, { stream: true })) again.push(event.type)
  expect(again.at(-1)).toBe('response.completed')
  const items = await client.responses.inputItems.list(second.id, { limit: 1, order: 'asc' })
  expect(items.data).toMatchObject([{ role: 'user', content: [{ text: 'more' }] }])
  const waiting = await client.responses.create({ model: own.model, input: 'slowly', background: true })
  expect((await client.responses.cancel(waiting.id)).status).toBe('cancelled')
  await client.responses.delete(second.id)
  await expect(client.responses.retrieve(second.id)).rejects.toBeInstanceOf(NotFoundError)
  const compacted = await client.responses.compact({ model: own.model, input: 'hello' })
  expect(compacted.output.map(({ type }) => type)).toEqual(['message', 'compaction'])
})

test('two organisations share a credential upstream, and neither reaches what the other has stored', async () => {
  const config = `
keys:
  - { key: key-of-acme-web-0001, org: acme, name: web, role: member }
  - { key: key-of-bolt-web-0001, org: bolt, name: web-b, role: member }`
  const shared = await startProviders({ config, engine: false })
  try {
    const as = (apiKey: string): OpenAI => new OpenAI({ baseURL: `${shared.gateway.url}/v1`, apiKey, maxRetries: 0 })
    const [acme, bolt] = [as('key-of-acme-web-0001'), as('key-of-bolt-web-0001')]
    const first = await acme.responses.create({ model: own.model, input: 'a secret of acme' })
    const streamed = await acme.responses.stream({ model: own.model, input: 'another' }).finalResponse()
    const reaches = [
      (theirs: OpenAI, id: string) =>
        theirs.responses.create({ model: own.model, input: 'x', previous_response_id: id }),
      (theirs: OpenAI, id: string) => theirs.responses.retrieve(id),
      (theirs: OpenAI, id: string) => theirs.responses.inputItems.list(id),
      (theirs: OpenAI, id: string) =>
        theirs.responses.compact({ model: own.model, input: 'x', previous_response_id: id }),
      (theirs: OpenAI, id: string) =>
        theirs.responses.inputTokens.count({ model: own.model, input: 'x', previous_response_id: id }),
      (theirs: OpenAI, id: string) => theirs.responses.delete(id),
    ]
    const before = shared.openai.requests().length
    for (const reach of reaches) {
      for (const id of [first.id, streamed.id, 'resp_of_nobody']) {
        await expect(reach(bolt, id), `${reach.toString()} ${id}`).rejects.toBeInstanceOf(NotFoundError)
      }
    }
    expect(shared.openai.requests()).toHaveLength(before)
    for (const reach of reaches) await expect(reach(acme, first.id)).resolves.not.toThrow()
    const theirs = bolt.responses.create({ model: own.model, input: 'x', conversation: 'conv_1' })
    await expect(theirs).rejects.toMatchObject({ status: 403, param: '/conversation' })
  } finally {
    await shared.stop()
  }
})

test('a key for the cache, a beta member and headers of the client reach OpenAI; those of its credential do not', async () => {
  const there = new OpenAI({
    baseURL: providers.gateway.url,
    apiKey: 'the-gateway-s-own',
    organization: 'org-of-the-client',
    project: 'proj-of-the-client',
    maxRetries: 0,
    defaultHeaders: { 'openai-beta': 'new-thing=v9', 'x-of-the-client': 'kept' },
  })
  const body = { model: 'gpt-recorded', input: 'x', prompt_cache_key: 'k', brand_new: { a: [1] } }
  await there.responses.create(body as OpenAI.Responses.ResponseCreateParamsNonStreaming)
  const [sent] = providers.recorder.requests
  expect(JSON.parse(sent?.body.toString() ?? '')).toEqual(body)
  expect(sent?.headers).toMatchObject({
    authorization: 'Bearer sk-upstream',
    'openai-beta': 'new-thing=v9',
    'x-of-the-client': 'kept',
  })
  expect(sent?.headers).not.toHaveProperty('openai-organization')
  expect(sent?.headers).not.toHaveProperty('openai-project')
})

/** What a stream ends with: an error that the client throws, or the error event of Responses, which it hands on. */
async function failureOf(open: () => Promise<AsyncIterable<unknown>>): Promise<string> {
  try {
    for await (const event of await open()) {
      const { type, message } = event as { type?: string; message?: string } // events of Responses have these
      if (type === 'error') return message ?? ''
    }
  } catch (error) {
    if (error instanceof APIError) return error.message
    throw error
  }
  return 'no failure'
}

/** The last body that the provider of a model received. */
function lastBody(model: string): string {
  return bodiesOf(model === other.model ? providers.anthropic : providers.openai).at(-1) ?? ''
}

async function eventsOf(session: string): Promise<{ status: number; error_code: string | null }[]> {
  const page = await fetch(`${providers.gateway.url}/v1/events?session=${session}`)
  return ((await page.json()) as { data: { status: number; error_code: string | null }[] }).data
}
