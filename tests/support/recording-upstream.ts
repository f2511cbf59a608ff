import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request as it came out of the gateway's socket. */
export interface SentRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The exact bytes of the body. */
  readonly body: Buffer
}

/** An upstream that keeps what it receives and answers what it is told. */
export interface RecordingUpstream {
  readonly url: string
  /** In order of arrival. */
  readonly requests: SentRequest[]
  /** How the next requests are answered; the default is a short answer in the dialect of the path. */
  answer: (request: SentRequest, response: ServerResponse, count: number) => void
  close(): Promise<void>
}

/**
 * Starts an upstream on this machine that records exact bytes; on any free port unless one is given.
 * @example const upstream = await startRecordingUpstream(); upstream.requests[0]?.body
 */
export async function startRecordingUpstream(port = 0): Promise<RecordingUpstream> {
  const requests: SentRequest[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => void chunks.push(chunk))
    request.on('end', () => {
      const sent = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks),
      }
      requests.push(sent)
      upstream.answer(sent, response, requests.length)
    })
  })
  await new Promise<void>((resolve, reject) => void server.once('error', reject).listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo // it listens on TCP
  const upstream: RecordingUpstream = {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answer: answerShortly,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return upstream
}

/**
 * An upstream whose port is free again when it is closed: outside the range that the system gives to whoever asks for
 * any port, so that nobody takes it meanwhile.
 */
export async function startReturningUpstream(): Promise<RecordingUpstream> {
  for (let port = 20_000 + Math.floor(Math.random() * 8_000); port < 32_000; port++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until one is free
      return await startRecordingUpstream(port)
    } catch {
      // Taken: the next one.
    }
  }
  throw new Error('no free port from 20,000 to 32,000')
}

/** The one request that arrived, which is forgotten. @throws Error where none did, or more */
export function takeOne(upstream: RecordingUpstream): SentRequest {
  const [request, ...more] = upstream.requests.splice(0)
  if (request === undefined || more.length > 0) throw new Error(`${more.length + 1} requests arrived, expected 1`)
  return request
}

/** Everything of a request, as text. */
export function traceOf({ path, headers, body }: SentRequest): string {
  return [path, JSON.stringify(headers), body.toString('utf8')].join('\n')
}

/** Sends JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

/** Sends a stream of server-sent events, given as whole text. */
export function sendStream(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(text)
}

/** A short whole answer, or a short stream where the body asks for one, in the dialect of the path. */
export function answerShortly(request: SentRequest, response: ServerResponse): void {
  const streamed = /"stream"\s*:\s*true/.test(request.body.toString('utf8'))
  const path = request.path.split('?')[0] ?? ''
  if (path.endsWith('/messages')) {
    if (streamed) sendStream(response, messagesStream)
    else sendJson(response, messagesAnswer)
  } else if (path.endsWith('/responses')) {
    if (streamed) sendStream(response, responsesStream)
    else sendJson(response, responsesAnswer)
  } else if (streamed) sendStream(response, chatStream)
  else sendJson(response, chatAnswer)
}

const chatUsage = {
  prompt_tokens: 20,
  completion_tokens: 2,
  total_tokens: 22,
  prompt_tokens_details: { cached_tokens: 16 },
}

export const chatAnswer = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: chatUsage,
}

export const chatStream: string = [
  '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}',
  '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":null}]}',
  '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
  `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":${JSON.stringify(chatUsage)}}`,
  '[DONE]',
]
  .map((data) => `data: ${data}\n\n`)
  .join('')

export const messagesAnswer = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'ok' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 4, cache_creation_input_tokens: 0, cache_read_input_tokens: 16, output_tokens: 2 },
}

export const messagesStream: string = [
  {
    type: 'message_start',
    message: {
      ...messagesAnswer,
      content: [],
      stop_reason: null,
      usage: { ...messagesAnswer.usage, output_tokens: 1 },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ok' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } },
  { type: 'message_stop' },
]
  .map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
  .join('')

export const responsesAnswer = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'm',
  status: 'completed',
  output: [
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'ok', annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 16 },
    output_tokens: 2,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 22,
  },
}

export const responsesStream: string = [
  {
    type: 'response.created',
    sequence_number: 0,
    response: { ...responsesAnswer, status: 'in_progress', output: [], usage: null },
  },
  {
    type: 'response.output_item.added',
    sequence_number: 1,
    output_index: 0,
    item: { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
  },
  {
    type: 'response.content_part.added',
    sequence_number: 2,
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: '', annotations: [] },
  },
  {
    type: 'response.output_text.delta',
    sequence_number: 3,
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta: 'ok',
  },
  {
    type: 'response.output_text.done',
    sequence_number: 4,
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    text: 'ok',
  },
  { type: 'response.completed', sequence_number: 5, response: responsesAnswer },
]
  .map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
  .join('')
