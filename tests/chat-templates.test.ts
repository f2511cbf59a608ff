import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { modelFileOf, testTemplates } from '../packages/engine/src/testing/chat-templates.ts'
import { startGateway } from './support/gateway.ts'
import { bodyOf } from './support/matrix/bodies.ts'
import type { Source } from './support/matrix/targets.ts'
import { pathFor } from './support/matrix/targets.ts'

const dialects = ['openai-chat', 'anthropic-messages', 'openai-responses'] as const
const templates = testTemplates.map(({ name }) => name)

let directory: string
let gateway: ServerProcess

/** A small model file for every family: its template, its control tokens, its BOS. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'incipit-templates-'))
  const models = testTemplates.map(
    (template) => `{ name: ${template.name}, path: "${modelFileOf(template, directory)}", context_tokens: 4096 }`,
  )
  const engine = `engine: { ram_bytes: 0, disk_bytes: 0, min_cached_tokens: 1, models: [${models.join(', ')}] }`
  gateway = await startGateway([], { engine: true, config: engine })
}, 120_000)
afterAll(async () => {
  await gateway.stop()
  rmSync(directory, { recursive: true })
})

/** Few arguments are possible, so that a model of random weights comes to an end. */
const city = { type: 'string', enum: ['Paris', 'Rome'] }
const parameters = { type: 'object', properties: { city }, required: ['city'], additionalProperties: false }
const tool = { name: 'forecast', description: 'Tells the weather', parameters }

/** A conversation in the words of a dialect: `said` are questions and answers in turns. */
const bodies: Readonly<Record<(typeof dialects)[number], (system: string, said: readonly string[]) => object>> = {
  'openai-chat': (system, said) => ({
    messages: [{ role: 'system', content: system }, ...turnsOf(said)],
    tools: [{ type: 'function', function: tool }],
    max_completion_tokens: 1,
  }),
  'anthropic-messages': (system, said) => ({
    system,
    messages: turnsOf(said),
    tools: [{ name: tool.name, description: tool.description, input_schema: tool.parameters }],
    max_tokens: 1,
  }),
  'openai-responses': (system, said) => ({
    instructions: system,
    input: turnsOf(said),
    tools: [{ type: 'function', ...tool }],
    max_output_tokens: 1,
  }),
}

function turnsOf(said: readonly string[]): object[] {
  return said.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }))
}

/** How many tokens of the first prompt the second one does not begin with, at least and at most. */
const lost: Readonly<Record<string, readonly [least: number, most: number]>> = {
  // Tools move to the next question.
  'mistral-v3': [10, Infinity],
  // The tag that opens the thinking.
  deepseek: [5, 5],
}

interface Asked {
  readonly answer: Record<string, unknown>
  readonly tokens: number
  readonly cached: number
}

async function ask(source: Source, body: string): Promise<Asked> {
  const { model } = JSON.parse(body) as { model: string }
  const response = await fetch(`${gateway.url}${pathFor(source, model)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const answer = (await response.json()) as Record<string, unknown>
  if (response.status !== 200) throw new Error(`${response.status}: ${JSON.stringify(answer)}`)
  const event = await fetch(`${gateway.url}/v1/events/${response.headers.get('x-incipit-request-id')}`)
  const { input_tokens, cached_input_tokens } = (await event.json()) as Record<string, number>
  return { answer, tokens: input_tokens ?? 0, cached: cached_input_tokens ?? 0 }
}

describe.each(templates)('a model file with the template of %s', (model) => {
  test.each(dialects)('S-1 D-28 the second turn reuses the prompt of the first one: %s', async (dialect) => {
    const question = (said: readonly string[]): string =>
      JSON.stringify({ model, ...bodies[dialect](`You speak ${dialect}.`, said) })
    const turns = ['Hello', 'Good day to you.', 'And what is the weather in Rome?']
    const first = await ask(dialect, question(turns))
    const second = await ask(dialect, question([...turns, 'Fair, I think.', 'And in Paris?']))
    const [least, most] = lost[model] ?? [0, 0]
    // The one token that was generated may by chance be the one that is said to have been.
    expect(first.tokens - second.cached).toBeGreaterThanOrEqual(least - 1)
    expect(first.tokens - second.cached).toBeLessThanOrEqual(most)
    expect(second.tokens).toBeGreaterThan(first.tokens)
  })

  test('one conversation with calls is one prompt, whatever dialect it comes in', async () => {
    const first = await ask('openai-chat', bodyOf('openai-chat', { model, more: { max_completion_tokens: 1 } }))
    const others = await Promise.all([
      ask('anthropic-messages', bodyOf('anthropic-messages', { model, more: { max_tokens: 1 } })),
      ask('openai-responses', bodyOf('openai-responses', { model, more: { max_output_tokens: 1 } })),
    ])
    // All is there but the last token, which the answer comes from.
    for (const { tokens, cached } of others) expect([tokens, cached]).toEqual([first.tokens, first.tokens - 1])
  })

  test('a call that must be made is told as one, and its result goes back in', async () => {
    const messages = [{ role: 'user', content: 'Weather?' }]
    const body = { model, tools: [{ type: 'function', function: tool }], temperature: 0 }
    const forced = {
      ...body,
      messages,
      tool_choice: 'required',
      parallel_tool_calls: false,
      max_completion_tokens: 400,
    }
    const { answer } = await ask('openai-chat', JSON.stringify(forced))
    const [choice] = answer['choices'] as {
      finish_reason: string
      message: { content: null; tool_calls: { id: string }[] }
    }[]
    expect(choice).toMatchObject({
      finish_reason: 'tool_calls',
      message: { content: null, tool_calls: [{ function: { name: 'forecast' } }] },
    })
    const called = choice?.message
    const result = { role: 'tool', tool_call_id: called?.tool_calls[0]?.id, content: 'Rain' }
    const next = { ...body, messages: [...messages, called, result, ...messages], max_completion_tokens: 1 }
    const { cached, tokens } = await ask('openai-chat', JSON.stringify(next))
    expect(tokens).toBeGreaterThan(cached)
    expect(cached).toBeGreaterThan(0)
  })
})

test('an answer to a prompt that opens the thinking begins as thinking, in every dialect', async () => {
  // Enough tokens to have some text among them, whatever they are.
  const limits = { max_completion_tokens: 24, max_tokens: 24, max_output_tokens: 24 }
  const [chat, message, response] = await Promise.all(
    dialects.map((dialect) => {
      const body = bodies[dialect]('S', ['Hello'])
      const asked = Object.entries({ ...body, ...limits }).filter(([name]) => !(name in limits) || name in body)
      return ask(dialect, JSON.stringify({ model: 'deepseek', temperature: 0, ...Object.fromEntries(asked) }))
    }),
  )
  expect(chat?.answer).toMatchObject({ choices: [{ message: { reasoning_content: expect.stringMatching(/./s) } }] })
  expect(message?.answer).toMatchObject({ content: [{ type: 'thinking' }] })
  expect(response?.answer).toMatchObject({ output: [{ type: 'reasoning' }] })
})

test('D-28 what templates do to prefixes is told by GET /v1/engine and at the start', async () => {
  const { models } = (await (await fetch(`${gateway.url}/v1/engine`)).json()) as {
    models: {
      model: string
      template: { family: string; warnings: { kind: string; at_token: number; text: string }[] }
    }[]
  }
  const told = models.flatMap(({ model, template }) => template.warnings.map(({ kind }) => `${model} ${kind}`))
  expect(told).toEqual(['qwen-3 thinking', 'mistral-v3 tools', 'harmony effort'])
  expect(new Set(models.map(({ template }) => template.family))).toEqual(
    new Set(['chatml', 'llama-3', 'qwen', 'gemma', 'mistral', 'harmony', 'deepseek']),
  )
  for (const { template } of models) {
    for (const { text } of template.warnings) expect(gateway.output()).toContain(text)
  }
})

test('what a client sets in a template reaches it: effort, thinking, variables', async () => {
  const messages = [{ role: 'user', content: 'Hello' }]
  const tokensOf = async (model: string, more: object): Promise<number> =>
    (await ask('openai-chat', JSON.stringify({ model, messages, max_completion_tokens: 1, ...more }))).tokens
  const plain = await tokensOf('qwen-3', {})
  expect(await tokensOf('qwen-3', { reasoning_effort: 'none' })).toBeGreaterThan(plain)
  expect(await tokensOf('qwen-3', { chat_template_kwargs: { enable_thinking: false } })).toBeGreaterThan(plain)
  expect(await tokensOf('harmony', { reasoning_effort: 'extraordinarily high' })).toBeGreaterThan(
    await tokensOf('harmony', {}),
  )
  expect(
    await tokensOf('llama-3', {
      chat_template_kwargs: { date_string: 'a day in the far future, said at some length' },
    }),
  ).toBeGreaterThan(await tokensOf('llama-3', {}))
  await expect(tokensOf('llama-3', { chat_template_kwargs: { messages: [] } })).rejects.toThrow(
    /^400: .*\/chat_template_kwargs\/messages: this variable cannot be set/,
  )
})
