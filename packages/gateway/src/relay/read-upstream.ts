import type { Answer, AnswerEvent, Dialect, ServerSentEvent } from '@incipit/core'
import { eventsOfAnswer, IncipitError } from '@incipit/core'
import { createParser } from 'eventsource-parser'
import type { EventSourceMessage } from 'eventsource-parser'
import type { Passage } from '../passage.ts'
import type { UpstreamAnswer } from '../upstreams/upstream-answer.ts'
import { EventQueue } from './event-queue.ts'
import { pipeDecoded } from './pipe-decoded.ts'
import { graceMs, isEventStream, noteUsage, unfinished } from './relay-passing.ts'
import { StreamTap } from './stream-tap.ts'
import { WholeTap } from './whole-tap.ts'

/** A whole answer that is to be understood is bounded more tightly than one that passes. */
const longestWhole = 64 * 2 ** 20

/**
 * An upstream's answer as events, for a client of another dialect. Usage goes into the passage as it is read.
 * @throws IncipitError `upstream_failed` when it breaks off, is no answer of its dialect, or ends in an error
 * @example for await (const event of readUpstream(answer, spoken, passage)) ...
 */
export async function* readUpstream(
  answer: UpstreamAnswer,
  spoken: Dialect,
  passage: Passage,
): AsyncGenerator<AnswerEvent, void> {
  if (isEventStream(answer)) yield* readStream(answer, spoken, passage)
  else yield* eventsOfAnswer(await readWhole(answer, spoken, passage))
}

async function* readStream(
  answer: UpstreamAnswer,
  spoken: Dialect,
  passage: Passage,
): AsyncGenerator<AnswerEvent, void> {
  const queue = new EventQueue<ServerSentEvent>({ resume: () => flow.resume() })
  const tap = new StreamTap(spoken)
  const text = new TextDecoder('utf-8')
  const parser = createParser({
    onEvent: (event: EventSourceMessage) => queue.push({ event: event.event, data: event.data }),
  })
  const finish = (): void => {
    tap.finish()
    // The last event may lack its empty line.
    parser.feed(`${text.decode()}\n\n`)
    queue.end()
  }
  const flow = pipeDecoded(answer, {
    data: (chunk) => {
      tap.push(chunk)
      parser.feed(text.decode(chunk, { stream: true }))
      return !queue.full
    },
    end: finish,
    // What breaks off behind the terminal event was complete.
    failed: (error) => (tap.ended && error.code !== 'client_closed' ? finish() : queue.fail(asError(error))),
  })
  const reader = spoken.streamReader()
  let grace: NodeJS.Timeout | undefined
  try {
    for await (const event of queue) {
      const step = reader.read(event)
      if (step.kind === 'fault')
        throw new IncipitError('upstream_failed', `the upstream ended the stream: ${step.fault.message}`)
      yield* step.events
      // Complete: an upstream that keeps the connection has nothing more to say.
      if (tap.ended) grace ??= setTimeout(() => queue.end(), graceMs)
    }
    if (!tap.ended) passage.warn(unfinished)
    yield* reader.end()
  } finally {
    clearTimeout(grace)
    noteUsage(passage, spoken, tap)
    answer.abort(new IncipitError('client_closed', 'the answer is not read any further'))
  }
}

async function readWhole(answer: UpstreamAnswer, spoken: Dialect, passage: Passage): Promise<Answer> {
  const tap = new WholeTap()
  const body = await wholeBytes(answer)
  tap.push(body)
  tap.finish()
  noteUsage(passage, spoken, tap)
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch (cause) {
    throw new IncipitError('upstream_failed', 'the answer of the upstream is not JSON', { cause })
  }
  return spoken.readAnswer(parsed, body)
}

async function wholeBytes(answer: UpstreamAnswer): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    pipeDecoded(answer, {
      data: (chunk) => {
        size += chunk.length
        if (size <= longestWhole) chunks.push(chunk)
        else
          answer.abort(
            new IncipitError(
              'upstream_too_large',
              `the answer has at least ${size} bytes, ${longestWhole} can be put into another dialect`,
            ),
          )
        return true
      },
      end: () => resolve(Buffer.concat(chunks, size)),
      failed: (error) => reject(asError(error)),
    })
  })
}

function asError(error: Error & { readonly code?: unknown }): IncipitError {
  if (IncipitError.is(error)) return error
  const code = error.code === 'upstream_timeout' || error.code === 'upstream_too_large' ? error.code : 'upstream_failed'
  return new IncipitError(code, `the upstream: ${error.message}`, { cause: error })
}
