import type { AnswerEvent } from '@incipit/core'
import { AnswerFold, IncipitError } from '@incipit/core'
import { sendJson } from '../http/exchange.ts'
import { setOwnHeaders } from './answer-head.ts'
import { awaitDrain } from './await-drain.ts'
import type { HeldAnswer, Relay } from './held-answer.ts'

/** An answer that comes as events, from the engine or read from another dialect. */
export interface EventsRelay extends Omit<Relay, 'spoken'> {
  readonly stream: boolean
}

/**
 * Turns answer events into the client's answer, streamed or whole, holding back its last bytes. Side effects:
 * writes the head and all other bytes; tells the passage what the events say.
 *
 * @throws IncipitError when the answer fails before its head has left
 * @example const held = await relayEvents(relay, events); await meter(passage, house); held.release()
 */
export async function relayEvents(relay: EventsRelay, events: AsyncIterable<AnswerEvent>): Promise<HeldAnswer> {
  const noted = note(relay, events)
  return relay.stream ? relayStream(relay, noted) : relayWhole(relay, noted)
}

async function relayStream(relay: EventsRelay, events: AsyncIterable<AnswerEvent>): Promise<HeldAnswer> {
  const { response, signal } = relay.exchange
  const renderer = relay.dialect.stream(relay.context)
  let last: string | undefined
  try {
    for await (const event of events) {
      if (!response.headersSent) writeHead(relay)
      const text = renderer.event(event)
      if (event.kind === 'finish') last = text
      else if (text !== '' && !response.write(text)) await awaitDrain(response, signal)
    }
    if (last === undefined) throw new IncipitError('upstream_failed', 'the answer ended without saying how')
  } catch (error) {
    if (!response.headersSent || !IncipitError.is(error) || error.code === 'client_closed') throw error
    relay.passage.failed(error)
    last = renderer.error(error)
  }
  return { release: () => void response.end(last) }
}

async function relayWhole(relay: EventsRelay, events: AsyncIterable<AnswerEvent>): Promise<HeldAnswer> {
  const { response } = relay.exchange
  const fold = new AnswerFold()
  for await (const event of events) fold.push(event)
  const { answer } = fold
  if (answer === undefined) throw new IncipitError('upstream_failed', 'the answer ended without saying how')
  const body = relay.dialect.answer(answer, relay.context)
  setOwnHeaders(response, relay.passage)
  setTokenHeaders(relay)
  return { release: () => sendJson(response, 200, body) }
}

async function* note(
  { exchange, passage }: EventsRelay,
  events: AsyncIterable<AnswerEvent>,
): AsyncGenerator<AnswerEvent, void> {
  const iterator = events[Symbol.asyncIterator]()
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const event = next.value
      if (event.kind === 'start') {
        passage.used(event.usage)
        passage.named(event.id)
      } else if (event.kind === 'finish') passage.used(event.usage)
      if (event.kind !== 'start' && event.kind !== 'ping') passage.answered()
      yield event
    }
  } finally {
    // What a slow reader left behind is read to its end: it was generated all the same.
    if (exchange.signal.aborted) await drainRest(iterator)
    await iterator.return?.()
  }
}

async function drainRest(events: AsyncIterator<AnswerEvent>): Promise<void> {
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next());
  } catch {
    // The abort itself comes behind what was waiting; whoever aborted has been told.
  }
}

function writeHead(relay: EventsRelay): void {
  const { exchange, dialect, passage } = relay
  setOwnHeaders(exchange.response, passage)
  setTokenHeaders(relay)
  exchange.response.writeHead(200, { 'content-type': dialect.streamContentType, 'cache-control': 'no-cache' })
}

/** Where token counts are known before the body, they travel in its head (F-6). */
function setTokenHeaders({ exchange, passage }: EventsRelay): void {
  const { report } = passage
  const { response } = exchange
  if (report === undefined) return
  // As the body says it: by the rules of a provider that may be less than was reused.
  const cached = String(report.counted?.read ?? report.cachedTokens)
  const prompt = String(report.promptTokens)
  response.setHeader('x-incipit-prompt-tokens', prompt)
  response.setHeader('x-incipit-cached-tokens', cached)
  response.setHeader('fireworks-prompt-tokens', prompt)
  response.setHeader('fireworks-cached-prompt-tokens', cached)
}
