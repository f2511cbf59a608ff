import Anthropic from '@anthropic-ai/sdk'
import OpenAI, { BadRequestError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

/** Every value has few forms, so that a model of random weights comes to an end. */
const parameters = {
  type: 'object',
  properties: {
    city: { type: 'string', enum: ['Paris', 'Rome'] },
    days: { type: 'integer', minimum: 1, maximum: 14 },
    exact: { type: 'boolean' },
  },
  required: ['city', 'days'],
  additionalProperties: false,
}
const messages = [{ role: 'user' as const, content: 'What is the weather?' }]
const tool = (name: string) => ({
  type: 'function' as const,
  function: { name, description: 'A forecast', parameters },
})

function checkArguments(json: string): void {
  const value = JSON.parse(json) as { city: string; days: number }
  expect(['Paris', 'Rome']).toContain(value.city)
  expect(Number.isInteger(value.days) && value.days >= 1 && value.days <= 14).toBe(true)
  expect(Object.keys(value).filter((name) => !['city', 'days', 'exact'].includes(name))).toEqual([])
}

describe('tools on a local model', () => {
  test('Chat: a call that must be made keeps to the schema of its tool, streamed and not', async () => {
    for (const [choice, names] of [
      ['required', ['forecast', 'history']],
      [{ type: 'function' as const, function: { name: 'history' } }, ['history']],
    ] as const) {
      const body = {
        model: 'demo',
        messages,
        tools: [tool('forecast'), tool('history')],
        tool_choice: choice,
        parallel_tool_calls: false,
      }
      for (let seed = 0; seed < 6; seed++) {
        const answer = await openai.chat.completions.create({ ...body, seed, temperature: 1 })
        const [chosen] = answer.choices
        expect(chosen).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
        expect(chosen?.message.tool_calls).toHaveLength(1)
        const [call] = chosen?.message.tool_calls ?? []
        if (call?.type !== 'function') throw new Error('no call of a function')
        expect(names).toContain(call.function.name)
        expect(call.id).toMatch(/^call_[0-9a-f]{24}$/)
        checkArguments(call.function.arguments)
      }
      const stream = openai.chat.completions.stream({ ...body, seed: 1 })
      const streamed = await stream.finalChatCompletion()
      const [call] = streamed.choices[0]?.message.tool_calls ?? []
      expect(streamed.choices[0]?.finish_reason).toBe('tool_calls')
      checkArguments(call?.type === 'function' ? call.function.arguments : '')
    }
  })

  test('Messages: any and tool, streamed and not; the result goes back in', async () => {
    const tools = [{ name: 'forecast', input_schema: parameters as Anthropic.Tool.InputSchema }]
    const ask = {
      model: 'demo',
      max_tokens: 200,
      messages,
      tools,
      tool_choice: { type: 'any' as const, disable_parallel_tool_use: true },
    }
    const answer = await anthropic.messages.create(ask)
    expect(answer.stop_reason).toBe('tool_use')
    const use = answer.content.find((block) => block.type === 'tool_use')
    checkArguments(JSON.stringify(use?.input))
    const streamed = await anthropic.messages.stream(ask).finalMessage()
    expect(streamed.stop_reason).toBe('tool_use')
    checkArguments(JSON.stringify(streamed.content.find((block) => block.type === 'tool_use')?.input))
    const next = await anthropic.messages.create({
      ...ask,
      tool_choice: { type: 'none' },
      max_tokens: 8,
      messages: [
        ...messages,
        { role: 'assistant', content: answer.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: use?.id ?? '', content: 'Sunny' }] },
      ],
    })
    expect(next.usage.cache_read_input_tokens).toBeGreaterThan(0)
    expect(next.content.every((block) => block.type === 'text')).toBe(true)
  })

  test('Responses: a function call item', async () => {
    const answer = await openai.responses.create({
      model: 'demo',
      input: 'What is the weather?',
      tools: [{ type: 'function', name: 'forecast', parameters, strict: true }],
      tool_choice: 'required',
      parallel_tool_calls: false,
    })
    const call = answer.output.find((item) => item.type === 'function_call')
    expect(call).toMatchObject({ name: 'forecast', status: 'completed' })
    checkArguments(call?.arguments ?? '')
  })

  test('a tool that is not there, or a strict schema that cannot be kept to, is refused with its place', async () => {
    const asked = (body: object) =>
      openai.chat.completions.create({
        model: 'demo',
        messages,
        ...body,
      } as OpenAI.ChatCompletionCreateParamsNonStreaming)
    await expect(
      asked({ tool_choice: { type: 'function', function: { name: 'none' } }, tools: [tool('forecast')] }),
    ).rejects.toThrow('/tool_choice: the tool "none" is to be called, and there is none of that name')
    const strict = {
      type: 'function',
      function: {
        name: 'x',
        strict: true,
        parameters: { type: 'object', properties: { a: { type: 'string', pattern: '(?=x)' } } },
      },
    }
    await expect(asked({ tools: [strict], tool_choice: 'required' })).rejects.toThrow(BadRequestError)
    await expect(asked({ tools: [strict], tool_choice: 'required' })).rejects.toThrow('properties/a/pattern')
  })
})

describe('forms of answers of a local model', () => {
  test('a JSON schema is kept to in every dialect', async () => {
    const format = { type: 'json_schema' as const, json_schema: { name: 'weather', strict: true, schema: parameters } }
    for (let seed = 0; seed < 6; seed++) {
      const answer = await openai.chat.completions.create({
        model: 'demo',
        messages,
        response_format: format,
        seed,
        temperature: 1,
      })
      expect(answer.choices[0]?.finish_reason).toBe('stop')
      checkArguments(answer.choices[0]?.message.content ?? '')
    }
    const response = await openai.responses.create({
      model: 'demo',
      input: 'What is the weather?',
      text: { format: { type: 'json_schema', name: 'weather', strict: true, schema: parameters } },
    })
    checkArguments(response.output_text)
    const message = await anthropic.messages.create({
      model: 'demo',
      max_tokens: 200,
      messages,
      output_config: { format: { type: 'json_schema', schema: parameters } },
    })
    checkArguments(message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''))
  })

  test('json_object begins as an object and stays JSON as far as it goes', async () => {
    const answer = await openai.chat.completions.create({
      model: 'demo',
      messages,
      response_format: { type: 'json_object' },
      max_tokens: 60,
    })
    const [choice] = answer.choices
    const content = choice?.message.content ?? ''
    expect(content).toMatch(/^\{/)
    // One that is cut off at the limit is the beginning of JSON; another one is whole.
    const value: unknown = choice?.finish_reason === 'stop' ? JSON.parse(content) : {}
    expect(value).toEqual(expect.any(Object))
  })

  test('CF-1 the same prompt with another form is the same prefix', async () => {
    const long = [{ role: 'user' as const, content: 'What is the weather? '.repeat(40) }]
    const format = { type: 'json_schema' as const, json_schema: { name: 'weather', strict: true, schema: parameters } }
    await openai.chat.completions.create({ model: 'demo', messages: long, max_tokens: 1 })
    const warm = await openai.chat.completions.create({ model: 'demo', messages: long, response_format: format })
    expect(warm.usage?.prompt_tokens_details?.cached_tokens).toBe((warm.usage?.prompt_tokens ?? 0) - 1)
  })
})
