import { Ajv2020 } from 'ajv/dist/2020.js'
import { default as addFormats } from 'ajv-formats'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { formatPatterns, stringFormats } from '../packages/engine/src/grammar/string-formats.ts'
import { schemaArbitrary } from '../packages/engine/src/testing/schema-arbitrary.ts'
import { post } from './support/ledger.ts'

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess()
})
afterAll(() => server.stop())

const messages = [{ role: 'user', content: 'Go on.' }]
const limit = 300

/** What came of a request: the JSON text of the answer, and whether it came to its end. */
interface Answered {
  readonly json: string
  readonly ended: boolean
}
type Ask = (schema: unknown, more: object) => Promise<Answered>

async function send(path: string, body: object): Promise<string> {
  const answer = await post(server.url + path, { model: 'demo', ...body })
  const text = await answer.text()
  expect([answer.status, answer.status === 200 ? '' : text, JSON.stringify(body)]).toEqual([200, '', expect.anything()])
  return text
}

/** The data of the events of a stream. */
function eventsOf(text: string): Json[] {
  const lines = text.split('\n').filter((line) => line.startsWith('data: {'))
  return lines.map((line) => JSON.parse(line.slice(6)))
}
// Of answers as they come, read by the fields that a test looks at.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any

const asks: Readonly<Record<string, Ask>> = {
  'Chat whole': async (schema, more) => {
    const response_format = { type: 'json_schema', json_schema: { name: 'a', schema } }
    const { choices } = JSON.parse(
      await send('/v1/chat/completions', { messages, response_format, max_tokens: limit, ...more }),
    )
    return { json: choices[0].message.content, ended: choices[0].finish_reason === 'stop' }
  },
  'Chat streamed': async (schema, more) => {
    const response_format = { type: 'json_schema', json_schema: { name: 'a', schema } }
    const body = { messages, response_format, max_tokens: limit, stream: true, ...more }
    const events = eventsOf(await send('/v1/chat/completions', body)).flatMap((event) => event.choices)
    return {
      json: events.map(({ delta }) => delta.content ?? '').join(''),
      ended: events.at(-1).finish_reason === 'stop',
    }
  },
  'Responses streamed': async (schema, more) => {
    const text = { format: { type: 'json_schema', name: 'a', schema } }
    const body = { input: 'Go on.', text, max_output_tokens: limit, stream: true, ...more }
    const events = eventsOf(await send('/v1/responses', body))
    return {
      json: events.map(({ type, delta }) => (type === 'response.output_text.delta' ? delta : '')).join(''),
      ended: events.at(-1).type === 'response.completed',
    }
  },
  'Responses whole, a tool': async (schema, more) => {
    const tools = [{ type: 'function', name: 'a', parameters: schema }]
    const call = { tool_choice: 'required', parallel_tool_calls: false, max_output_tokens: limit }
    const { output, status } = JSON.parse(await send('/v1/responses', { input: 'Go on.', tools, ...call, ...more }))
    return { json: output[0]?.arguments ?? '', ended: status === 'completed' }
  },
  'Messages whole': async (schema, more) => {
    const output_config = { format: { type: 'json_schema', schema } }
    const { content, stop_reason } = JSON.parse(
      await send('/v1/messages', { messages, output_config, max_tokens: limit, ...more }),
    )
    return { json: content.map(({ text }: Json) => text).join(''), ended: stop_reason === 'end_turn' }
  },
  'Messages streamed, a tool': async (schema, more) => {
    const tool = { name: 'a', input_schema: schema }
    const choice = { type: 'tool', name: 'a', disable_parallel_tool_use: true }
    const body = { messages, tools: [tool], tool_choice: choice, max_tokens: limit, stream: true, ...more }
    const events = eventsOf(await send('/v1/messages', body))
    return {
      json: events.map(({ delta }) => delta?.partial_json ?? '').join(''),
      ended: events.some(({ delta }) => delta?.stop_reason === 'tool_use'),
    }
  },
}

test(
  'whatever comes to its end in any dialect is JSON of the schema, greedy and at temperature 2',
  { timeout: 300_000 },
  async () => {
    const schemas = fc.sample(schemaArbitrary, { numRuns: Number(process.env['FORM_RUNS'] ?? 8), seed: 20_261_126 })
    let ended = 0
    for (const inner of schemas as Json[]) {
      const { $defs, ...value } = inner
      const schema = { $defs, type: 'object', properties: { v: value }, required: ['v'], additionalProperties: false }
      const ajv = addFormats.default(new Ajv2020({ strict: false, multipleOfPrecision: 6 }))
      const allows = ajv.compile(schema)
      const answers = await Promise.all(
        Object.entries(asks).flatMap(([name, ask]) =>
          // Messages has no temperature above 1.
          [0, name.startsWith('Messages') ? 1 : 2].map(async (temperature) => ({
            name,
            ...(await ask(schema, { temperature })),
          })),
        ),
      )
      for (const { name, json, ended: isWhole } of answers) {
        if (!isWhole) continue
        ended++
        const parsed: unknown = JSON.parse(json)
        expect([name, json, allows(parsed), allows.errors]).toEqual([name, json, true, null])
      }
    }
    expect(ended).toBeGreaterThan(schemas.length)
  },
)

test('the texts of a format are those that zod takes, and the patterns that zod writes for it', () => {
  const schemas = {
    date: z.iso.date(),
    duration: z.iso.duration(),
    email: z.email(),
    hostname: z.hostname(),
    ipv4: z.ipv4(),
    ipv6: z.ipv6(),
    uri: z.url(),
  }
  for (const [format, schema] of Object.entries(schemas)) {
    const expression = new RegExp(stringFormats[format] ?? '(?!)', 'u')
    fc.assert(fc.property(fc.stringMatching(expression), (text) => schema.safeParse(text).success))
  }
  for (const format of ['duration', 'hostname'] as const)
    expect(formatPatterns[format]).toContain(z.toJSONSchema(schemas[format])['pattern'])
})
