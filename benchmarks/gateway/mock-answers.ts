/** What the mock upstream answers every request with until told otherwise. */
export type MockAnswer =
  | { readonly kind: 'at once'; readonly bytes: Buffer }
  | { readonly kind: 'spaced'; readonly head: Buffer; readonly events: readonly Buffer[]; readonly gapMs: number }

const eventCount = 50
const usage = {
  prompt_tokens: 5120,
  completion_tokens: 48,
  total_tokens: 5168,
  prompt_tokens_details: { cached_tokens: 4096, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
}
const shared = {
  id: 'chatcmpl-000000000000000000000001',
  created: 1_760_000_000,
  model: 'mock-large',
  system_fingerprint: 'fp_0000000000',
}

/** One chat completion of 1.1 KB, with usage. */
export const jsonAnswer: MockAnswer = wholeAnswer()

/** A stream of 50 chat chunks, 12 KB, with usage in the second-last event, written in one piece. */
export const sseAnswer: MockAnswer = {
  kind: 'at once',
  bytes: Buffer.concat([sseHead(), ...sseEvents()]),
}

/**
 * The same stream with pauses between its events, as a model writes.
 * @example mock.answer = spacedAnswer(2)
 */
export function spacedAnswer(gapMs: number): MockAnswer {
  return { kind: 'spaced', head: sseHead(), events: sseEvents(), gapMs }
}

function wholeAnswer(): MockAnswer {
  const message = {
    role: 'assistant',
    content: 'The test passes now; the index was one line off. '.repeat(12),
    refusal: null,
  }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
  const body = JSON.stringify({ ...shared, object: 'chat.completion', choices, usage })
  return {
    kind: 'at once',
    bytes: Buffer.concat([head('application/json', `content-length: ${body.length}`), Buffer.from(body)]),
  }
}

/** Each event in a chunk of its own; the end of the body is written with the last one. */
function sseEvents(): Buffer[] {
  const chunk = (choices: readonly object[], counted: object | null): string =>
    `data: ${JSON.stringify({ ...shared, object: 'chat.completion.chunk', choices, usage: counted })}\n\n`
  const delta = (content: object, reason: string | null): readonly object[] => [
    { index: 0, delta: content, logprobs: null, finish_reason: reason },
  ]
  const texts = Array.from({ length: eventCount - 4 }, (_, index) =>
    chunk(delta({ content: ` word ${index}` }, null), null),
  )
  const events = [
    chunk(delta({ role: 'assistant', content: '', refusal: null }, null), null),
    ...texts,
    chunk(delta({}, 'stop'), null),
    chunk([], usage),
    'data: [DONE]\n\n',
  ]
  return events.map((event, index) => {
    const end = index === events.length - 1 ? '0\r\n\r\n' : ''
    return Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n${end}`)
  })
}

function sseHead(): Buffer {
  return head('text/event-stream; charset=utf-8', 'transfer-encoding: chunked')
}

function head(type: string, framing: string): Buffer {
  const lines = [
    'HTTP/1.1 200 OK',
    'date: Sat, 21 Nov 2026 00:00:00 GMT',
    `content-type: ${type}`,
    framing,
    'connection: keep-alive',
    'x-request-id: req_00000000000000000000000000000001',
    'openai-processing-ms: 1',
    'x-ratelimit-remaining-requests: 9999',
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}
