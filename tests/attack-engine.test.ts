import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { ask } from './support/keys.ts'

let gateway: ServerProcess

beforeAll(async () => {
  gateway = await startGateway([], { engine: true })
})
afterAll(() => gateway?.stop())

const messages = [{ role: 'user', content: 'Hi' }]
/** How each dialect asks for a form, and where its schema stands. */
const dialects = [
  [
    '/v1/chat/completions',
    (schema: unknown) => ({ messages, response_format: { type: 'json_schema', json_schema: { name: 'x', schema } } }),
    '/response_format/json_schema/schema',
  ],
  [
    '/v1/responses',
    (schema: unknown) => ({ input: 'Hi', text: { format: { type: 'json_schema', name: 'x', schema } } }),
    '/text/format/schema',
  ],
  [
    '/v1/messages',
    (schema: unknown) => ({ messages, max_tokens: 5, output_config: { format: { type: 'json_schema', schema } } }),
    '/output_config/format/schema',
  ],
] as const

test.each(dialects)('%s: a schema with a reference to nowhere is the mistake of its client', async (path, form, at) => {
  for (const $ref of ['#/%zz', '#/__proto__', '#/$defs/constructor', '#/$defs/none']) {
    const schema = { type: 'object', $defs: {}, properties: { a: { $ref } } }
    const answer = await ask(gateway, path, { key: '', body: { model: 'demo', ...form(schema) } })
    expect([$ref, answer.status, answer.text]).toEqual([$ref, 400, expect.stringContaining(`${at}/properties/a/$ref`)])
  }
})

test('a schema of thousands of members is refused before anybody waits for it', async () => {
  const [path, form] = dialects[0]
  const properties = Object.fromEntries(Array.from({ length: 6_000 }, (_, index) => [`m${index}`, { type: 'null' }]))
  const answer = await ask(gateway, path, { key: '', body: { model: 'demo', ...form({ properties }) } })
  expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('more than 20000 rules')])
})
