import Anthropic, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Destination, Providers } from './support/providers.ts'
import { answerForEver, bodiesOf, ledgerRow, pdf, pixel, startProviders } from './support/providers.ts'
import { answerShortly, messagesStream } from './support/recording-upstream.ts'

const own: Destination = { name: 'Anthropic', model: 'claude-opus-5' }
const other: Destination = { name: 'OpenAI', model: 'gpt-5.6-sol' }
const engine: Destination = { name: 'the engine', model: 'demo' }
const everywhere = [own, other, engine]
const providersOnly = [own, other]

const place = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'kelvin'] } },
  required: ['city', 'unit'],
  additionalProperties: false,
}
const find: Anthropic.Tool = { name: 'find', description: 'Finds.', input_schema: place }
const hello: Anthropic.MessageParam[] = [{ role: 'user', content: 'hello' }]

let providers: Providers
let client: Anthropic

beforeAll(async () => {
  providers = await startProviders()
  client = new Anthropic({ baseURL: providers.gateway.url, apiKey: 'unused', maxRetries: 0 })
})
beforeEach(() => {
  providers.openai.reset()
  providers.anthropic.reset()
  providers.recorder.requests.length = 0
  providers.recorder.answer = answerShortly
})
afterAll(() => providers.stop())

test.each(['', '/', '/v1', '/v1/'])(
  'a base URL that ends in "%s" leads to messages, counting and models',
  async (end) => {
    const there = new Anthropic({ baseURL: `${providers.gateway.url}${end}`, apiKey: 'unused', maxRetries: 0 })
    const message = await there.messages.create({ model: own.model, max_tokens: 20, messages: hello })
    expect(textOf(message)).toBeTruthy()
    expect((await there.messages.countTokens({ model: own.model, messages: hello })).input_tokens).toBe(2)
    expect((await there.models.list()).data.length).toBeGreaterThan(3)
  },
)

describe.each(everywhere)('to $name', ({ model }) => {
  test('whole, streamed and through the helper are one message with one usage, as the ledger has it', async () => {
    const request = {
      model,
      max_tokens: 24,
      system: `Be brief, ${model}.`,
      messages: hello,
      ...(model === engine.model ? { temperature: 0 } : {}),
    }
    await client.messages.create(request)
    const { data: whole, response } = await client.messages.create(request).withResponse()
    expect(textOf(whole)).toBeTruthy()
    expect(whole).toMatchObject({ type: 'message', role: 'assistant', id: expect.stringMatching(/^msg_/) })

    const events: Anthropic.MessageStreamEvent[] = []
    for await (const event of await client.messages.create({ ...request, stream: true })) events.push(event)
    const deltas = events.flatMap((event) =>
      event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? [event.delta.text] : [],
    )
    expect(deltas.join('')).toBe(textOf(whole))
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(['message_start', 'message_stop'])

    const helped = await client.messages.stream(request).finalMessage()
    expect([textOf(helped), helped.stop_reason]).toEqual([textOf(whole), whole.stop_reason])
    expect(counts(helped.usage)).toEqual(counts(whole.usage))

    const row = await ledgerRow(providers.gateway.url, response.headers.get('x-incipit-request-id'))
    expect(row).toMatchObject({ dialect: 'anthropic-messages', model, status: 200 })
    const { input_tokens, cache_read_input_tokens, output_tokens } = whole.usage
    expect([row.usage['fresh'], row.usage['output']]).toEqual([input_tokens, output_tokens])
    expect(row.usage['read'] ?? 0).toBe(cache_read_input_tokens ?? 0)
  })

  test('images as bytes and by their address, PDFs and documents of text are taken', async () => {
    const ask = async (blocks: Anthropic.ContentBlockParam[]): Promise<number> => {
      const content: Anthropic.ContentBlockParam[] = [...blocks, { type: 'text', text: 'What is this?' }]
      const { usage } = await client.messages.create({ model, max_tokens: 16, messages: [{ role: 'user', content }] })
      return usage.input_tokens + (usage.cache_read_input_tokens ?? 0)
    }
    const plain = await ask([])
    const attached: Anthropic.ContentBlockParam[] = [
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
      { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: pdf } },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a document of a few words' } },
    ]
    for (const block of attached) expect(await ask([block])).toBeGreaterThan(plain)
  })
})

describe.each(providersOnly)('tools at $name', ({ model }) => {
  test('a call, its result, an answer; streamed and whole call alike', async () => {
    const request = { model, max_tokens: 200, tools: [find], messages: hello }
    const whole = await client.messages.create(request)
    const streamed = await client.messages.stream(request).finalMessage()
    expect([whole.stop_reason, streamed.stop_reason]).toEqual(['tool_use', 'tool_use'])
    for (const message of [whole, streamed])
      expect(callOf(message)).toMatchObject({ name: 'find', input: { city: 'city', unit: 'celsius' } })
    const answer = await client.messages.create({
      ...request,
      messages: [
        ...hello,
        { role: 'assistant', content: whole.content },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: callOf(whole)?.id ?? '',
              content: [{ type: 'text', text: '20 degrees' }],
            },
          ],
        },
      ],
    })
    expect([answer.stop_reason, textOf(answer).length > 0]).toEqual(['end_turn', true])
    expect(lastBody(model)).toContain('20 degrees')
  })

  test('a forced call is made, and no tool is called where none may be', async () => {
    const ask = async (tool_choice: Anthropic.ToolChoice) =>
      (await client.messages.create({ model, max_tokens: 200, tools: [find], tool_choice, messages: hello }))
        .stop_reason
    expect(await ask({ type: 'tool', name: 'find' })).toBe('tool_use')
    expect(await ask({ type: 'any' })).toBe('tool_use')
    expect(await ask({ type: 'none' })).toBe('end_turn')
  })

  test('structured output parses to what the schema asks for, its bytes as the client wrote them', async () => {
    const request = {
      model,
      max_tokens: 200,
      output_config: { format: { type: 'json_schema' as const, schema: place } },
      messages: hello,
    }
    const message = await client.messages.create(request)
    expect(JSON.parse(textOf(message))).toEqual({ city: 'city', unit: 'celsius' })
    expect(lastBody(model)).toContain(JSON.stringify(place))
    const parsed = await client.messages.parse(request)
    expect(parsed.parsed_output).toEqual({ city: 'city', unit: 'celsius' })
  })

  test('stop sequences and limits end an answer in the words of the client', async () => {
    const whole = textOf(await client.messages.create({ model, max_tokens: 200, messages: hello }))
    const cut = await client.messages.create({ model, max_tokens: 3, messages: hello })
    expect([cut.stop_reason, cut.usage.output_tokens]).toEqual(['max_tokens', 3])
    const word = whole.split(' ')[2] ?? ''
    const stopped = await client.messages.create({ model, max_tokens: 200, stop_sequences: [word], messages: hello })
    expect(textOf(stopped)).toBe(whole.slice(0, whole.indexOf(word)))
  })
})

test('tools at the engine: definitions, calls and results are part of the prompt', async () => {
  const tokens = async (tools: Anthropic.Tool[], result: string): Promise<number> => {
    const message = await client.messages.create({
      model: engine.model,
      max_tokens: 8,
      tools,
      messages: [
        { role: 'user', content: 'How warm is it?' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: { city: 'Bern' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: result }] },
      ],
    })
    return message.usage.input_tokens + (message.usage.cache_read_input_tokens ?? 0)
  }
  const with20 = await tokens([find], '20 degrees')
  expect(with20).toBeGreaterThan((await tokens([], '20 degrees')) + 20)
  expect(await tokens([find], '20 degrees, with a wind from the north')).toBeGreaterThan(with20)
})

describe('thinking', () => {
  const thinking = { type: 'enabled' as const, budget_tokens: 1_024 }

  test('goes back with its signature untouched: a changed one is refused', async () => {
    const request = { model: own.model, max_tokens: 2_000, thinking, messages: hello }
    const first = await client.messages.stream(request).finalMessage()
    expect(first.content.map(({ type }) => type)).toEqual(['thinking', 'text'])
    const again = (content: Anthropic.ContentBlockParam[]): Promise<Anthropic.Message> =>
      client.messages.create({ ...request, messages: [...hello, { role: 'assistant', content }, ...hello] })
    await expect(again(first.content)).resolves.toMatchObject({ stop_reason: 'end_turn' })
    expect(lastBody(own.model)).toContain(JSON.stringify(first.content[0]))
    const forged = { ...(first.content[0] as Anthropic.ThinkingBlock), signature: 'forged' }
    await expect(again([forged, { type: 'text', text: 'x' }])).rejects.toBeInstanceOf(BadRequestError)
  })

  test('with tools: the turn that called goes back whole', async () => {
    const request = { model: own.model, max_tokens: 2_000, thinking, tools: [find], messages: hello }
    const first = await client.messages.create(request)
    expect(first.content.map(({ type }) => type)).toEqual(['thinking', 'tool_use'])
    const result = { type: 'tool_result' as const, tool_use_id: callOf(first)?.id ?? '', content: '20' }
    const answer = await client.messages.create({
      ...request,
      messages: [...hello, { role: 'assistant', content: first.content }, { role: 'user', content: [result] }],
    })
    expect(answer.stop_reason).toBe('end_turn')
  })

  test('of Anthropic is not sent to another provider, and that is said', async () => {
    const block = { type: 'thinking' as const, thinking: 'a private thought', signature: 'c2lnbmVk' }
    const content: Anthropic.ContentBlockParam[] = [block, { type: 'text', text: 'well' }]
    const { response } = await client.messages
      .create({ model: other.model, max_tokens: 20, messages: [...hello, { role: 'assistant', content }, ...hello] })
      .withResponse()
    expect(lastBody(other.model)).not.toContain('a private thought')
    expect(response.headers.get('x-incipit-warnings')).toContain('block_not_carried: /messages/1/content/0')
  })
})

test.each(everywhere)('a prefix that was marked is read the second time at $name', async ({ model }) => {
  const system: Anthropic.TextBlockParam[] = [
    { type: 'text', text: `${model} `.repeat(1_500), cache_control: { type: 'ephemeral' } },
  ]
  const ask = (text: string): Promise<Anthropic.Message> =>
    client.messages.create({ model, max_tokens: 8, system, messages: [{ role: 'user', content: text }] })
  const [cold, warm] = [await ask('one'), await ask('two')]
  expect(cold.usage.cache_read_input_tokens ?? 0).toBe(0)
  expect(warm.usage.cache_read_input_tokens).toBeGreaterThan(1_000)
})

test.each([own, engine])('max_tokens 0 fills the cache of $name and says nothing', async ({ model }) => {
  const system: Anthropic.TextBlockParam[] = [
    { type: 'text', text: `warm ${model} `.repeat(1_500), cache_control: { type: 'ephemeral' } },
  ]
  const warmed = await client.messages.create({ model, max_tokens: 0, system, messages: hello })
  expect([warmed.content, warmed.usage.output_tokens]).toEqual([[], 0])
  const next = await client.messages.create({ model, max_tokens: 8, system, messages: hello })
  expect(next.usage.cache_read_input_tokens).toBeGreaterThan(1_000)
  expect(textOf(next)).toBeTruthy()
})

describe('errors', () => {
  const ask = (model: string): Promise<unknown> => client.messages.create({ model, max_tokens: 20, messages: hello })

  test('of an upstream of the same family come back unmodified, as typed errors of the client', async () => {
    const body = JSON.stringify({ model: 'claude-none', max_tokens: 9, messages: hello })
    const headers = {
      'content-type': 'application/json',
      'x-api-key': 'sk-upstream',
      'anthropic-version': '2023-06-01',
    }
    providers.anthropic.reset()
    const direct = await fetch(`${providers.anthropic.url}/v1/messages`, { method: 'POST', headers, body })
    const words = (await direct.text()).replace(/req_\w+/g, 'req_x')
    const through = await fetch(`${providers.gateway.url}/v1/messages`, { method: 'POST', headers, body })
    expect([through.status, (await through.text()).replace(/req_\w+/g, 'req_x')]).toEqual([404, words])
    const error = await ask('claude-none').catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({
      error: { type: 'error', error: { type: 'not_found_error', message: 'model: claude-none' } },
    })
  })

  test.each([
    [400, BadRequestError, 'invalid_request_error'],
    [401, AuthenticationError, 'authentication_error'],
    [403, PermissionDeniedError, 'permission_error'],
    [429, RateLimitError, 'rate_limit_error'],
    [500, InternalServerError, 'api_error'],
    [529, InternalServerError, 'overloaded_error'],
  ])('%i is a typed error, in the words of the upstream, of either family', async (status, kind, type) => {
    for (const { model } of providersOnly) {
      const emulator = model === own.model ? providers.anthropic : providers.openai
      const message = `words of the upstream for ${status}`
      const body =
        model === own.model ? { type: 'error', error: { type, message } } : { error: { message, type: 't', code: 'c' } }
      emulator.fault({ status, body, headers: { 'retry-after': '7' } })
      const error = await ask(model).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(kind)
      expect(error).toMatchObject({ status, message: expect.stringContaining(message) })
      expect(error).toMatchObject({ error: { type: 'error', error: { type } } })
      expect((error as InstanceType<typeof APIError>).headers?.get('retry-after')).toBe('7')
    }
  })

  test('of the gateway itself are typed errors too, in the shape of Anthropic', async () => {
    const broken = client.messages.create({ model: own.model, max_tokens: 9, messages: [] })
    await expect(broken).rejects.toMatchObject({
      status: 400,
      error: { type: 'error', error: { type: 'invalid_request_error', message: expect.stringContaining('/messages') } },
    })
    const page = await fetch(`${providers.gateway.url}/v1/messages`, {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    })
    expect(await page.json()).toMatchObject({ type: 'error', request_id: page.headers.get('x-incipit-request-id') })
  })

  test('in the middle of a stream is thrown by the client, whichever family it comes from', async () => {
    for (const { model } of providersOnly) {
      const emulator = model === own.model ? providers.anthropic : providers.openai
      emulator.fault({ error_event: 4 })
      const read = client.messages.stream({ model, max_tokens: 200, messages: hello }).finalMessage()
      await expect(read).rejects.toBeInstanceOf(APIError)
    }
  })
})

test('an aborted stream is aborted upstream, and the ledger says 499', async () => {
  const left = answerForEver(
    providers.recorder,
    messagesStream.slice(0, messagesStream.indexOf('event: content_block_stop')),
  )
  const stream = client.messages.stream(
    { model: 'claude-recorded', max_tokens: 20, messages: hello },
    { headers: { 'x-session-id': 'abort-messages' } },
  )
  const ended = stream.finalMessage().catch((error: unknown) => error)
  stream.on('text', () => stream.abort())
  expect(await ended).toBeInstanceOf(APIUserAbortError)
  await left
  await expect
    .poll(async () => {
      const page = await fetch(`${providers.gateway.url}/v1/events?session=abort-messages`)
      const { data } = (await page.json()) as { data: { status: number; error_code: string }[] }
      return data.map(({ status, error_code }) => [status, error_code])
    })
    .toEqual([[499, 'client_closed']])
})

test('tokens are counted by Anthropic, by the engine, and where nobody can count that is said', async () => {
  const request = {
    messages: [{ role: 'user' as const, content: 'How many are these?' }],
    system: 'Count.',
    tools: [find],
  }
  const direct = new Anthropic({ baseURL: providers.anthropic.url, apiKey: 'x', maxRetries: 0 })
  const wanted = await direct.messages.countTokens({ ...request, model: own.model })
  expect(await client.messages.countTokens({ ...request, model: own.model })).toEqual(wanted)
  expect(await client.beta.messages.countTokens({ ...request, model: own.model })).toMatchObject({
    input_tokens: wanted.input_tokens,
  })
  const answer = await client.messages.create({ ...request, model: engine.model, max_tokens: 1 })
  const counted = await client.messages.countTokens({ ...request, model: engine.model })
  expect(counted.input_tokens).toBe(answer.usage.input_tokens + (answer.usage.cache_read_input_tokens ?? 0))
  await expect(client.messages.countTokens({ ...request, model: other.model })).rejects.toBeInstanceOf(NotFoundError)
})

test('models are listed and found in the shape of Anthropic, those of every upstream and the engine', async () => {
  const ids: string[] = []
  for await (const model of client.models.list()) {
    expect(model).toMatchObject({
      type: 'model',
      display_name: expect.any(String),
      created_at: expect.stringMatching(/Z$/),
    })
    ids.push(model.id)
  }
  expect(ids).toEqual(expect.arrayContaining([own.model, other.model, engine.model, 'claude-recorded']))
  expect(await client.models.retrieve(own.model)).toMatchObject({ type: 'model', id: own.model })
  await expect(client.models.retrieve('no-such-model')).rejects.toMatchObject({ status: 404 })
})

describe('betas', () => {
  test('?beta=true, and beta headers as open lists, reach Anthropic as the client sent them', async () => {
    const request = {
      model: 'claude-recorded',
      max_tokens: 20,
      messages: hello,
      betas: ['context-management-2025-06-27', 'something-nobody-heard-of-2099-01-01'],
      brand_new: { a: [1] },
    } as Anthropic.Beta.MessageCreateParamsNonStreaming
    await client.beta.messages.create(request, {
      query: { beta: 'true', key: 'unused' },
      headers: { 'anthropic-dangerous-direct-browser-access': 'true', 'x-app': 'cli' },
    })
    const [sent] = providers.recorder.requests
    expect(sent?.path).toBe('/v1/messages?beta=true')
    const { betas, ...body } = request
    expect(JSON.parse(sent?.body.toString() ?? '')).toEqual(body)
    expect(sent?.headers).toMatchObject({
      'anthropic-beta': betas?.join(','),
      // Whichever version the client speaks.
      'anthropic-version': expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      'x-api-key': 'sk-upstream',
      'x-app': 'cli',
    })
    expect(sent?.headers).not.toHaveProperty('authorization')
  })

  test('diagnostics go through, and the reason for a miss comes back', async () => {
    const ask = (system: string, previous: string | null) =>
      client.beta.messages.create({
        model: own.model,
        max_tokens: 20,
        betas: ['cache-diagnosis-2026-04-07'],
        system: [{ type: 'text', text: system.repeat(600), cache_control: { type: 'ephemeral' } }],
        messages: hello,
        diagnostics: { previous_message_id: previous },
      })
    const first = await ask('one set of rules ', null)
    const second = await ask('quite another set ', first.id)
    expect(second.diagnostics?.cache_miss_reason).toMatchObject({ type: 'system_changed' })
  })

  test('beta headers of Anthropic do not reach another provider', async () => {
    await client.beta.messages.create({
      model: other.model,
      max_tokens: 20,
      messages: hello,
      betas: ['context-management-2025-06-27'],
    })
    const sent = providers.openai.requests().at(-1)
    expect(Object.keys(sent?.headers ?? {}).filter((name) => name.startsWith('anthropic'))).toEqual([])
  })
})

function textOf({ content }: Pick<Anthropic.Message, 'content'>): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

function callOf({ content }: Pick<Anthropic.Message, 'content'>): Anthropic.ToolUseBlock | undefined {
  return content.find((block) => block.type === 'tool_use')
}

function counts({
  input_tokens,
  cache_read_input_tokens,
  cache_creation_input_tokens,
  output_tokens,
}: Anthropic.Usage) {
  return { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens }
}

/** The last body that the provider of a model received. */
function lastBody(model: string): string {
  return bodiesOf(model === other.model ? providers.openai : providers.anthropic).at(-1) ?? ''
}
