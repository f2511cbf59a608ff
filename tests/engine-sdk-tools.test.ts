import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { zodFunction, zodResponseFormat, zodTextFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'

let server: ServerProcess
let openai: OpenAI
let anthropic: Anthropic

beforeAll(async () => {
  server = await startServerProcess()
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'unused', maxRetries: 0 })
  anthropic = new Anthropic({ baseURL: server.url, apiKey: 'unused', maxRetries: 0 })
})
afterAll(() => server.stop())

/** What zod makes of usual shapes; every value comes to an end by itself. */
const trip = z.object({
  city: z.enum(['Paris', 'Rome', '東京', 'say "hi"\\']),
  code: z.string().regex(/^[A-Z]{2}-\d{3}$/),
  days: z.number().int().min(1).max(14),
  starts: z.iso.date(),
  hotel: z.object({ stars: z.number().int().min(1).max(5), host: z.hostname() }).nullable(),
  stays: z.iso.duration(),
  stops: z
    .array(
      z.discriminatedUnion('by', [
        z.object({ by: z.literal('train'), seat: z.enum(['window', 'aisle']) }),
        z.object({ by: z.literal('plane'), gate: z.string().max(3) }),
      ]),
    )
    .max(3),
})
const messages = [{ role: 'user' as const, content: 'Plan a trip for me, please.' }]
const seeds = [1, 2, 3, 4]

describe('the official SDK of OpenAI against a local model', () => {
  test('Chat: parse() with a zod schema gives values of that schema, whole and streamed', async () => {
    const response_format = zodResponseFormat(trip, 'trip')
    for (const seed of seeds) {
      const answer = await openai.chat.completions.parse({
        model: 'demo',
        messages,
        response_format,
        seed,
        temperature: seed === 1 ? 0 : 2,
      })
      expect(trip.parse(answer.choices[0]?.message.parsed)).toEqual(answer.choices[0]?.message.parsed)
    }
    const streamed = await openai.chat.completions
      .stream({ model: 'demo', messages, response_format })
      .finalChatCompletion()
    expect(trip.safeParse(streamed.choices[0]?.message.parsed).success).toBe(true)
  })

  test('Chat: tools of zod schemas are parsed, also when several are called and streamed', async () => {
    const tools = [
      zodFunction({ name: 'plan', parameters: trip }),
      zodFunction({ name: 'stay', parameters: z.object({ nights: z.number().int().min(1).max(9) }) }),
    ]
    let calls = 0
    for (const seed of seeds) {
      const ask = {
        model: 'demo',
        messages,
        tools,
        tool_choice: 'required' as const,
        seed,
        temperature: 1,
        max_tokens: 4_000,
      }
      const whole = await openai.chat.completions.parse(ask)
      const streamed = await openai.chat.completions.stream(ask).finalChatCompletion()
      for (const answer of [whole, streamed]) {
        if (answer.choices[0]?.finish_reason === 'length') continue
        expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
        for (const call of answer.choices[0]?.message.tool_calls ?? []) {
          calls++
          expect(call.function.parsed_arguments).toEqual(JSON.parse(call.function.arguments))
        }
      }
      // The same seed, the same calls, but for their ids.
      const shown = (answer: typeof whole): unknown =>
        answer.choices[0]?.message.tool_calls?.map((call) => [call.function.name, call.function.arguments])
      expect(shown(streamed as typeof whole)).toEqual(shown(whole))
    }
    expect(calls).toBeGreaterThan(4)
  })

  test('Responses: parse(), and the events of function calls add up to the item', async () => {
    const parsed = await openai.responses.parse({
      model: 'demo',
      input: 'Plan it.',
      text: { format: zodTextFormat(trip, 'trip') },
    })
    expect(trip.parse(parsed.output_parsed)).toEqual(parsed.output_parsed)
    const stream = openai.responses.stream({
      model: 'demo',
      input: 'Plan it.',
      tools: [
        {
          type: 'function',
          name: 'stay',
          strict: true,
          parameters: z.toJSONSchema(z.object({ nights: z.literal([1, 2]) })),
        },
      ],
      tool_choice: { type: 'function', name: 'stay' },
      parallel_tool_calls: false,
    })
    let deltas = ''
    const kinds = new Set<string>()
    for await (const event of stream) {
      kinds.add(event.type)
      if (event.type === 'response.function_call_arguments.delta') deltas += event.delta
    }
    const final = await stream.finalResponse()
    const call = final.output.find((item) => item.type === 'function_call')
    expect(call).toMatchObject({ name: 'stay', status: 'completed', arguments: deltas })
    expect([1, 2]).toContain((JSON.parse(deltas) as { nights: number }).nights)
    for (const kind of [
      'response.created',
      'response.output_item.added',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ])
      expect(kinds).toContain(kind)
  })

  test('CF-1 D-9 a conversation with calls and results grows behind a stable prefix, and keeps the bytes of arguments', async () => {
    const tools = [zodFunction({ name: 'plan', parameters: trip })]
    const conversation: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'system', content: 'You plan trips. '.repeat(30) },
      ...messages,
    ]
    let before = 0
    for (let turn = 0; turn < 4; turn++) {
      const answer = await openai.chat.completions.create({
        model: 'demo',
        messages: conversation,
        tools,
        tool_choice: 'required',
        parallel_tool_calls: false,
        seed: turn,
        temperature: 1,
        max_tokens: 4_000,
      })
      const cached = answer.usage?.prompt_tokens_details?.cached_tokens ?? 0
      // All that the turn before evaluated is read again, its answer included but for its last token.
      expect(cached).toBeGreaterThanOrEqual(before)
      before = (answer.usage?.prompt_tokens ?? 0) - 1
      const message = answer.choices[0]?.message
      const call = message?.tool_calls?.[0]
      if (message === undefined || call?.type !== 'function') throw new Error('no call')
      conversation.push(message, { role: 'tool', tool_call_id: call.id, content: 'Done.' })
    }
  })

  test('tool_choice none calls nothing; a stop string ends text and not arguments', async () => {
    const tools = [
      zodFunction({ name: 'stay', parameters: z.object({ nights: z.literal(3), why: z.literal('STOP here') }) }),
    ]
    const none = await openai.chat.completions.create({
      model: 'demo',
      messages,
      tools,
      tool_choice: 'none',
      max_tokens: 30,
    })
    expect(none.choices[0]?.message.tool_calls ?? []).toEqual([])
    const stopped = await openai.chat.completions.create({
      model: 'demo',
      messages,
      tools,
      tool_choice: 'required',
      parallel_tool_calls: false,
      stop: ['STOP'],
    })
    const [call] = stopped.choices[0]?.message.tool_calls ?? []
    expect(JSON.parse(call?.type === 'function' ? call.function.arguments : '')).toEqual({
      nights: 3,
      why: 'STOP here',
    })
    const response_format = zodResponseFormat(z.object({ why: z.literal('STOP here') }), 'x')
    const cut = await openai.chat.completions.create({ model: 'demo', messages, response_format, stop: ['STOP'] })
    expect(cut.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: expect.stringMatching(/^\{"why": ?"$/) },
    })
  })

  test('seeds repeat, biases hold under a grammar, log-probabilities stand beside it; n above 1 is refused by name', async () => {
    const ask = { model: 'demo', messages, max_tokens: 12, temperature: 2 }
    const texts = await Promise.all(
      [7, 7, 8].map(
        async (seed) => (await openai.chat.completions.create({ ...ask, seed })).choices[0]?.message.content,
      ),
    )
    expect(texts[0]).toBe(texts[1])
    expect(texts[0]).not.toBe(texts[2])
    const response_format = zodResponseFormat(z.object({ a: z.enum(['x', 'y']) }), 'a')
    const answer = await openai.chat.completions.create({
      model: 'demo',
      messages,
      response_format,
      logprobs: true,
      top_logprobs: 2,
    })
    const { content, refusal } = answer.choices[0]?.logprobs ?? {}
    expect(content?.map(({ token }) => token).join('')).toBe(answer.choices[0]?.message.content)
    expect(refusal ?? null).toBeNull()
    await expect(openai.chat.completions.create({ ...ask, n: 2 })).rejects.toMatchObject({
      status: 400,
      param: expect.stringContaining('n'),
    })
  })
})

describe('the official SDK of Anthropic against a local model', () => {
  const tools: Anthropic.Tool[] = [
    { name: 'plan', input_schema: z.toJSONSchema(trip) as Anthropic.Tool.InputSchema },
    { name: 'stay', input_schema: { type: 'object', properties: { nights: { enum: [1, 2] } }, required: ['nights'] } },
  ]

  test('Messages: input_json_delta events add up to the input of a tool_use block', async () => {
    for (const choice of [{ type: 'any' as const }, { type: 'tool' as const, name: 'plan' }]) {
      const stream = anthropic.messages.stream({
        model: 'demo',
        max_tokens: 4_000,
        messages,
        tools,
        tool_choice: { ...choice, disable_parallel_tool_use: true },
      })
      let json = ''
      stream.on('inputJson', (delta) => void (json += delta))
      const final = await stream.finalMessage()
      expect(final.stop_reason).toBe('tool_use')
      const block = final.content.find(({ type }) => type === 'tool_use')
      expect(block).toMatchObject({ type: 'tool_use', id: expect.any(String), input: JSON.parse(json) as object })
    }
  })

  test('CF-1 D-9 a conversation with tool results is read from the cache turn after turn', async () => {
    const conversation: Anthropic.MessageParam[] = [...messages]
    let before = 0
    for (let turn = 0; turn < 4; turn++) {
      const answer = await anthropic.messages.create({
        model: 'demo',
        max_tokens: 4_000,
        system: 'You plan trips. '.repeat(30),
        messages: conversation,
        tools,
        tool_choice: { type: 'any', disable_parallel_tool_use: true },
      })
      const { input_tokens: fresh, cache_read_input_tokens: read } = answer.usage
      expect(read ?? 0).toBeGreaterThanOrEqual(before)
      before = fresh + (read ?? 0) - 1
      const use = answer.content.find((block) => block.type === 'tool_use')
      conversation.push(
        { role: 'assistant', content: answer.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: use?.id ?? '', content: 'Done.' }] },
      )
    }
  })
})
