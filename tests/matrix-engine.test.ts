import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import { attachments } from './support/matrix/attachments.ts'
import { bodyOf, markForms } from './support/matrix/bodies.ts'
import { readAnswer } from './support/matrix/read-answer.ts'
import type { Json } from './support/matrix/sent-body.ts'
import type { Source } from './support/matrix/targets.ts'
import { pathFor, sources } from './support/matrix/targets.ts'

/** Answers of one token, in the words of each dialect. */
const limits: Readonly<Record<Source, Readonly<Record<string, number>>>> = {
  'openai-chat': { max_completion_tokens: 1 },
  'openai-responses': { max_output_tokens: 1 },
  'anthropic-messages': { max_tokens: 1 },
  'workers-ai': { max_tokens: 1 },
}
const cutShort: Readonly<Record<Source, string | undefined>> = {
  'openai-chat': 'length',
  'openai-responses': 'incomplete/max_output_tokens',
  'anthropic-messages': 'max_tokens',
  'workers-ai': undefined,
}

let gateway: ServerProcess
beforeAll(async () => {
  gateway = await startGateway([], { engine: true, config: 'engine: {}' })
})
afterAll(() => gateway.stop())

describe.each(sources)('%s -> engine', (source) => {
  test('D-10 marks need no place: every prefix is kept, and a mark changes neither prompt nor prefix', async () => {
    const plain = await ask(source, bodyOf(source, { model: 'demo', more: limits[source] }))
    for (const { member, at } of markForms[source]) {
      for (const place of at) {
        const json = member === 'cache_control' ? { type: 'ephemeral', ttl: '1h' } : { mode: 'explicit' }
        const mark = { at: place, json, member }
        const marked = await ask(source, bodyOf(source, { model: 'demo', mark, more: limits[source] }))
        expect(marked.event.input_tokens).toBe(plain.event.input_tokens)
        expect(marked.event.cached_input_tokens).toBe((plain.event.input_tokens ?? 0) - 1)
        expect(marked.event.warnings).toEqual([])
      }
    }
  })

  test('attachments take part by their bytes: another one is another prompt from there on', async () => {
    for (const { name, says, inResult } of attachments) {
      const part = says[source]
      if (part === undefined) continue
      const asked = async (shown: Json): Promise<Asked> => {
        const where = inResult === true ? { resultParts: [shown] } : { parts: [shown] }
        return ask(source, bodyOf(source, { model: 'demo', ...where, more: limits[source] }))
      }
      await asked(part)
      const again = await asked(part)
      const other = await asked(changed(part))
      expect([name, again.event.cached_input_tokens]).toEqual([name, (again.event.input_tokens ?? 0) - 1])
      expect(other.event.cached_input_tokens).toBeLessThan(again.event.cached_input_tokens ?? 0)
      expect(other.event.cached_input_tokens).toBeGreaterThan(0)
    }
  })

  test.each([false, true])('says why it ended and what it cost, as the ledger has it; streamed: %s', async (stream) => {
    const options = source === 'openai-chat' && stream ? { stream_options: { include_usage: true } } : {}
    const more = { ...limits[source], ...options, stream }
    const { text, event } = await ask(source, bodyOf(source, { model: 'demo', more }))
    const answer = readAnswer(source, text, stream)
    expect(answer.stop).toBe(cutShort[source])
    const [input, cached] = [event.input_tokens ?? 0, event.cached_input_tokens ?? 0]
    expect(event.usage).toMatchObject({ fresh: input - cached, read: cached, output: 1 })
    const wire: Readonly<Record<Source, object>> = {
      'openai-chat': { prompt_tokens: input, prompt_tokens_details: { cached_tokens: cached }, completion_tokens: 1 },
      'openai-responses': { input_tokens: input, input_tokens_details: { cached_tokens: cached }, output_tokens: 1 },
      'anthropic-messages': { input_tokens: input - cached, cache_read_input_tokens: cached, output_tokens: 1 },
      'workers-ai': { prompt_tokens: input, prompt_tokens_details: { cached_tokens: cached }, completion_tokens: 1 },
    }
    expect(answer.usage).toMatchObject(wire[source])
  })

  test('what a local model cannot honour is refused with its place, not passed over', async () => {
    const asks: Readonly<Record<Source, object>> = {
      'openai-chat': { tools: [{ type: 'custom', custom: { name: 'x' } }] },
      'workers-ai': { n: 2 },
      'openai-responses': { tools: [{ type: 'web_search' }] },
      'anthropic-messages': { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
    }
    const body = bodyOf(source, { model: 'demo', more: { ...limits[source], ...asks[source] } })
    const response = await post(source, body)
    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/\/tools\/0[^ ]*: only function tools are supported|\/n: only 1 is supported/)
  })
})

test('one conversation is one prompt, whatever dialect it comes in', async () => {
  const counts: (number | null)[] = []
  for (const source of sources) {
    const { event } = await ask(source, bodyOf(source, { model: 'demo', more: limits[source] }))
    counts.push(event.input_tokens)
  }
  expect(new Set(counts).size).toBe(1)
})

const contents = new Set(['data', 'url', 'image_url', 'file_data', 'file_id', 'file_url'])

/** The same attachment with one other character in its bytes, its id or its address. */
function changed(part: Json, name: string = ''): Json {
  if (typeof part === 'string') {
    const at = Math.max(0, part.length - 8)
    return contents.has(name) ? `${part.slice(0, at)}Q${part.slice(at + 1)}` : part
  }
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, changed(value, key)]))
}

interface Asked {
  readonly text: string
  readonly event: {
    readonly usage: unknown
    readonly warnings: readonly string[]
    readonly input_tokens: number | null
    readonly cached_input_tokens: number | null
  }
}

async function post(source: Source, body: string): Promise<Response> {
  return fetch(`${gateway.url}${pathFor(source, 'demo')}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
}

async function ask(source: Source, body: string): Promise<Asked> {
  const response = await post(source, body)
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${response.status}: ${text}`)
  const id = response.headers.get('x-incipit-request-id')
  return { text, event: (await (await fetch(`${gateway.url}/v1/events/${id}`)).json()) as Asked['event'] }
}
