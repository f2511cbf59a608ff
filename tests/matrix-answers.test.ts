import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startGateway } from './support/gateway.ts'
import type { Ending, ReadAnswer } from './support/matrix/answers.ts'
import { answerWith, endings, reportedUsage } from './support/matrix/answers.ts'
import { argumentBytes, bodyOf } from './support/matrix/bodies.ts'
import { readAnswer } from './support/matrix/read-answer.ts'
import type { Source } from './support/matrix/targets.ts'
import { modelOf, pathFor, sources, spokenTo, startTargets, targets } from './support/matrix/targets.ts'
import type { RecordingUpstream } from './support/recording-upstream.ts'

/** One upstream for each dialect that is spoken with one; every other kind of it answers the same. */
const upstreamsByDialect = {
  'openai-chat': 'openai-compatible',
  'openai-responses': 'openai-by-responses',
  'anthropic-messages': 'anthropic',
} as const

type Spoken = keyof typeof upstreamsByDialect

let gateway: ServerProcess
let upstream: RecordingUpstream

beforeAll(async () => {
  const started = await startTargets()
  upstream = started.upstream
  gateway = await startGateway(started.configured)
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})

const spokenDialects = Object.keys(upstreamsByDialect) as Spoken[]
const pairs = spokenDialects.flatMap((spoken) =>
  sources.map((source) => ({ name: `${spoken} -> ${source}`, spoken, source })),
)

describe.each(pairs)('an answer in $name', ({ spoken, source }) => {
  test.each([false, true])(
    'D-9 says why it ended, its words and the bytes of its call; streamed: %s',
    async (stream) => {
      for (const ending of endings[spoken]) {
        const { answer } = await ask({ source, spoken, ending, stream })
        expect([ending, answer.stop]).toEqual([ending, stopWords[source][ending]])
        const said = ending === 'tool' ? answer.call : answer.text
        expect(said).toBe(ending === 'tool' ? argumentBytes : 'said')
      }
    },
  )

  test.each([false, true])(
    'D-41 D-42 D-43 costs what the upstream says, in the answer and in the ledger; streamed: %s',
    async (stream) => {
      const { answer, event } = await ask({ source, spoken, ending: 'end', stream })
      const written = spoken === 'anthropic-messages' ? { write_5m: 3, write_1h: 4 } : { write_30m: 7 }
      const unreported = { write_5m: null, write_30m: null, write_1h: null, write_12h: null, storage: null }
      expect(event.usage).toEqual({ fresh: 10, read: 16, ...unreported, ...written, output: 9 })
      expect([event.input_tokens, event.cached_input_tokens]).toEqual([33, 16])
      expect(answer.usage).toMatchObject(usageFor(source, spoken))
      expect(event.raw_usage).toMatchObject(reportedUsage[spoken])
    },
  )
})

test('an answer without usage is metered as not reported, never as free', async () => {
  for (const spoken of spokenDialects) {
    for (const source of sources) {
      upstream.answer = (_request, response) => {
        const whole = {
          'openai-chat': {
            choices: [{ index: 0, message: { role: 'assistant', content: 'said' }, finish_reason: 'stop' }],
          },
          'openai-responses': { id: 'r', object: 'response', status: 'completed', output: [] },
          'anthropic-messages': { id: 'm', type: 'message', role: 'assistant', content: [], stop_reason: 'end_turn' },
        }[spoken]
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(whole))
      }
      const { event } = await post(source, spoken, false)
      expect(event.usage).toMatchObject({ fresh: null, read: null, output: null })
      expect(event.input_tokens).toBeNull()
    }
  }
})

test('every kind is spoken to in the dialects it is listed with here', async () => {
  for (const target of targets) {
    for (const source of sources) {
      const spoken = spokenTo(target, source)
      if (spoken === 'workers-ai') continue
      upstream.answer = (_request, response) => answerWith(spoken, response, { ending: 'length', stream: false })
      const response = await fetch(`${gateway.url}${pathFor(source, modelOf(target))}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: bodyOf(source, { model: modelOf(target) }),
      })
      const answer = readAnswer(source, await response.text(), false)
      expect([target.name, source, answer.stop]).toEqual([target.name, source, stopWords[source].length])
      const path = upstream.requests.at(-1)?.path ?? ''
      const end = {
        'openai-chat': 'chat/completions',
        'openai-responses': 'responses',
        'anthropic-messages': 'messages',
      }
      expect(path).toBe(`/${target.name}/v1/${end[spoken]}`)
    }
  }
})

test('Workers AI is spoken to by its own route, with the model in the path, and answers in its own words', async () => {
  const own = {
    result: { response: 'said', usage: reportedUsage['openai-chat'] },
    success: true,
    errors: [],
    messages: [],
  }
  upstream.answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(own))
  }
  const response = await fetch(`${gateway.url}${pathFor('workers-ai', 'at-workers-ai')}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodyOf('workers-ai', { model: 'at-workers-ai' }),
  })
  expect(await response.text()).toBe(JSON.stringify(own))
  expect(upstream.requests.at(-1)?.path).toBe('/workers-ai/run/at-workers-ai')
  const event = await eventOf(response)
  expect(event.usage).toMatchObject({ fresh: 10, read: 16, write_30m: 7, output: 9 })
})

/** The end of an answer in the words of each client. The route of Workers AI has none. */
const stopWords: Readonly<Record<Source, Readonly<Record<Ending, string | undefined>>>> = {
  'openai-chat': {
    end: 'stop',
    length: 'length',
    tool: 'tool_calls',
    filter: 'content_filter',
    'stop-sequence': 'stop',
    refusal: 'content_filter',
    pause: 'stop',
    context: 'length',
  },
  'openai-responses': {
    end: 'completed',
    length: 'incomplete/max_output_tokens',
    tool: 'completed',
    filter: 'incomplete/content_filter',
    'stop-sequence': 'completed',
    refusal: 'incomplete/content_filter',
    pause: 'completed',
    context: 'incomplete/max_output_tokens',
  },
  'anthropic-messages': {
    end: 'end_turn',
    length: 'max_tokens',
    tool: 'tool_use',
    filter: 'refusal',
    'stop-sequence': 'stop_sequence/HALT',
    refusal: 'refusal',
    pause: 'pause_turn',
    context: 'model_context_window_exceeded',
  },
  'workers-ai': {
    end: undefined,
    length: undefined,
    tool: undefined,
    filter: undefined,
    'stop-sequence': undefined,
    refusal: undefined,
    pause: undefined,
    context: undefined,
  },
}

/** The counts of a client: totals with the cached part inside, or disjoint ones. */
function usageFor(source: Source, spoken: Spoken): object {
  switch (source) {
    case 'openai-chat':
    case 'workers-ai':
      return reportedUsage['openai-chat']
    case 'openai-responses':
      return reportedUsage['openai-responses']
    case 'anthropic-messages': {
      const { cache_creation, ...counts } = reportedUsage['anthropic-messages']
      // There are words for Anthropic's two lives only: half an hour stands in the sum.
      return spoken === 'anthropic-messages' ? { ...counts, cache_creation } : counts
    }
    default:
      return source satisfies never
  }
}

interface MeteredEvent {
  readonly usage: Readonly<Record<string, number | null>>
  readonly raw_usage: unknown
  readonly input_tokens: number | null
  readonly cached_input_tokens: number | null
}

interface Question {
  readonly source: Source
  readonly spoken: Spoken
  readonly ending: Ending
  readonly stream: boolean
}

async function ask({ source, spoken, ending, stream }: Question): Promise<{ answer: ReadAnswer; event: MeteredEvent }> {
  upstream.answer = (_request, response) => answerWith(spoken, response, { ending, stream })
  const { text, event } = await post(source, spoken, stream)
  return { answer: readAnswer(source, text, stream), event }
}

async function post(source: Source, spoken: Spoken, stream: boolean): Promise<{ text: string; event: MeteredEvent }> {
  const model = `at-${upstreamsByDialect[spoken]}`
  const options = source === 'openai-chat' && stream ? { stream_options: { include_usage: true } } : {}
  const response = await fetch(`${gateway.url}${pathFor(source, model)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodyOf(source, { model, more: { stream, ...options } }),
  })
  const text = await response.text()
  expect([response.status, text.length > 0]).toEqual([200, true])
  return { text, event: await eventOf(response) }
}

async function eventOf(response: Response): Promise<MeteredEvent> {
  const answer = await fetch(`${gateway.url}/v1/events/${response.headers.get('x-incipit-request-id')}`)
  return (await answer.json()) as MeteredEvent // the API's documented shape
}
