import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import type { Spoken } from './support/dialects.ts'
import { chat, messages, responses, spoken } from './support/dialects.ts'
import { startGateway } from './support/gateway.ts'
import type { Row } from './support/ledger.ts'
import { idOf, post, rowOf } from './support/ledger.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'
import {
  chatAnswer,
  messagesAnswer,
  responsesAnswer,
  sendJson,
  startRecordingUpstream,
} from './support/recording-upstream.ts'

let gateway: ServerProcess
let upstream: RecordingUpstream

beforeAll(async () => {
  upstream = await startRecordingUpstream()
  const { url } = upstream
  gateway = await startGateway([
    { name: 'chat', url, settings: 'kind: openai-compatible, models: ["openai-chat"]' },
    {
      name: 'responses',
      url,
      settings: 'kind: openai-compatible, speaks: [openai-responses], models: ["openai-responses"]',
    },
    { name: 'messages', url, settings: 'kind: anthropic, api_key: k, models: ["anthropic-messages"]' },
  ])
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

/** One prompt of 2,660 tokens, as each provider counts it. */
const chatUsage = {
  prompt_tokens: 2_660,
  completion_tokens: 37,
  total_tokens: 2_697,
  prompt_tokens_details: { cached_tokens: 2_048 },
}
const messagesUsage = {
  input_tokens: 12,
  cache_creation_input_tokens: 600,
  cache_read_input_tokens: 2_048,
  cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 500 },
  output_tokens: 37,
}
const responsesUsage = {
  input_tokens: 9_727,
  input_tokens_details: { cached_tokens: 9_216, cache_write_tokens: 480 },
  output_tokens: 12,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 9_739,
}
const notWritten = { write_5m: null, write_30m: null, write_1h: null, write_12h: null }
const inChat = { ...notWritten, fresh: 612, read: 2_048, output: 37 }
const inMessages = { ...notWritten, fresh: 12, read: 2_048, write_5m: 100, write_1h: 500, output: 37 }

/** A stream as it is seen in the field, the whole answer that says the same, and the buckets of both. */
const shapes: readonly {
  readonly name: string
  readonly spoken: Spoken
  readonly stream: string
  readonly whole: object
  readonly buckets: Readonly<Record<string, number | null>>
  /** What the provider counts as prompt. */
  readonly input: number
}[] = [
  {
    name: 'a last chunk of usage',
    spoken: chat,
    stream: 'quirks/openai-chat/crlf-pings.sse',
    whole: { ...chatAnswer, usage: chatUsage },
    buckets: inChat,
    input: 2_660,
  },
  {
    name: 'usage in every chunk',
    spoken: chat,
    stream: 'quirks/openai-chat/cumulative-usage.sse',
    whole: { ...chatAnswer, usage: chatUsage },
    buckets: inChat,
    input: 2_660,
  },
  {
    name: 'usage in the last choice',
    spoken: chat,
    stream: 'quirks/openai-chat/last-choice-usage.sse',
    whole: { ...chatAnswer, usage: chatUsage },
    buckets: inChat,
    input: 2_660,
  },
  {
    name: 'a vendor frame behind the end',
    spoken: chat,
    stream: 'quirks/openai-chat/trailing-frame.sse',
    whole: { ...chatAnswer, usage: chatUsage },
    buckets: inChat,
    input: 2_660,
  },
  {
    name: 'usage at both ends',
    spoken: messages,
    stream: 'quirks/anthropic-messages/split-usage.sse',
    whole: { ...messagesAnswer, usage: messagesUsage },
    buckets: inMessages,
    input: 2_660,
  },
  {
    name: 'all usage repeated at the end',
    spoken: messages,
    stream: 'quirks/anthropic-messages/cumulative-crlf.sse',
    whole: { ...messagesAnswer, usage: messagesUsage },
    buckets: inMessages,
    input: 2_660,
  },
  {
    name: 'usage at the end only',
    spoken: messages,
    stream: 'quirks/anthropic-messages/late-usage.sse',
    whole: { ...messagesAnswer, usage: messagesUsage },
    buckets: inMessages,
    input: 2_660,
  },
  {
    name: 'usage in the terminal event',
    spoken: responses,
    stream: 'quirks/openai-responses/trailing-frame.sse',
    whole: { ...responsesAnswer, usage: responsesUsage },
    buckets: { ...notWritten, fresh: 31, read: 9_216, write_30m: 480, output: 12 },
    input: 9_727,
  },
]

describe.each(shapes)('$name of $spoken.name', ({ spoken: sent, stream, whole, buckets, input }) => {
  test.each(spoken)('D-41 D-42 D-43 is the same in the ledger streamed and not, for a client of $name', async (d) => {
    const transcript = readFileSync(new URL(`../fixtures/${stream}`, import.meta.url))
    for (const size of [1, 50, transcript.length]) {
      upstream.answer = (_request, response) => sendPieces(response, transcript, size)
      const { row, text } = await ask(d, sent.name, true)
      expect(row).toMatchObject({
        usage: buckets,
        input_tokens: input,
        cached_input_tokens: buckets['read'],
        status: 200,
      })
      expect(sumOf(row)).toBe(input)
      expect(row['raw_usage']).not.toBeNull()
      // A client that asked for usage gets it with its details, and nothing is counted twice on the way.
      expect(usageShownTo(d, text)).toEqual({ input, read: buckets['read'], output: buckets['output'] })
    }
    upstream.answer = (_request, response) => sendJson(response, whole)
    const { row, text } = await ask(d, sent.name, false)
    expect(row).toMatchObject({
      usage: buckets,
      input_tokens: input,
      cached_input_tokens: buckets['read'],
      status: 200,
    })
    expect(sumOf(row)).toBe(input)
    expect(usageShownTo(d, `data: ${text}\n`)).toEqual({ input, read: buckets['read'], output: buckets['output'] })
  })
})

test('D-42 writes for an hour and for five minutes stay apart, also where only the aggregate says how many there were', async () => {
  const written = async (usage: object): Promise<Row['usage']> => {
    upstream.answer = (_request, response) => sendJson(response, { ...messagesAnswer, usage })
    return (await ask(messages, 'anthropic-messages', false)).row.usage
  }
  expect(await written(messagesUsage)).toMatchObject({ write_5m: 100, write_1h: 500 })
  const { cache_creation: _split, ...aggregate } = messagesUsage
  expect(await written(aggregate)).toMatchObject({ write_5m: 600, write_1h: null })
  const onlyLong = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 600 }
  expect(await written({ ...messagesUsage, cache_creation: onlyLong })).toMatchObject({ write_5m: 0, write_1h: 600 })
})

test('D-43 what no upstream reported is null, never 0', async () => {
  const { usage: _usage, ...silent } = chatAnswer
  upstream.answer = (_request, response) => sendJson(response, silent)
  for (const d of [chat, messages]) {
    const { row } = await ask(d, 'openai-chat', false)
    expect(row).toMatchObject({ usage: { ...notWritten, fresh: null, read: null, output: null }, input_tokens: null })
  }
})

async function ask(d: Spoken, model: string, stream: boolean): Promise<{ row: Row; text: string }> {
  const more = d === chat && stream ? { stream_options: { include_usage: true } } : {}
  const answer = await post(gateway.url + d.path, d.body(model, stream, more))
  const text = await answer.text()
  return { row: await rowOf(gateway.url, idOf(answer)), text }
}

function sendPieces(response: ServerResponse, bytes: Buffer, size: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let at = 0; at < bytes.length; at += size) response.write(bytes.subarray(at, at + size))
  response.end()
}

function sumOf({ usage }: Row): number {
  const { output: _output, ...input } = usage
  return Object.values(input).reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

type Counts = Readonly<Record<string, unknown>>

/** What a client reads that knows its dialect: the larger of the counts it is told. */
function usageShownTo(d: Spoken, text: string): { input: number; read: number; output: number } {
  const found = text
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Counts)
    .flatMap((event) => [event, event['message'], event['response'], event['x_groq']])
    .flatMap((holder) => (isCounts(holder) && isCounts(holder['usage']) ? [holder['usage']] : []))
  const most = (read: (usage: Counts) => unknown): number => Math.max(...found.map((usage) => Number(read(usage) ?? 0)))
  const detail = (usage: Counts, name: string, count: string): unknown => {
    const details = usage[name]
    return isCounts(details) ? details[count] : 0
  }
  if (d === chat) {
    return {
      input: most((usage) => usage['prompt_tokens']),
      read: most((usage) => detail(usage, 'prompt_tokens_details', 'cached_tokens')),
      output: most((usage) => usage['completion_tokens']),
    }
  }
  const output = most((usage) => usage['output_tokens'])
  if (d === responses) {
    const read = most((usage) => detail(usage, 'input_tokens_details', 'cached_tokens'))
    return { input: most((usage) => usage['input_tokens']), read, output }
  }
  const read = most((usage) => usage['cache_read_input_tokens'])
  const written = most((usage) => usage['cache_creation_input_tokens'])
  return { input: most((usage) => usage['input_tokens']) + read + written, read, output }
}

function isCounts(value: unknown): value is Counts {
  return typeof value === 'object' && value !== null
}
