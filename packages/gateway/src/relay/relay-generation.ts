import type {
  AnswerContext,
  Dialect,
  GenerationEvent,
  GenerationResult,
  Prompt,
  PromptReport,
  TokenLogprob,
} from '@incipit/core'
import { IncipitError } from '@incipit/core'
import type { Exchange } from '../http/exchange.ts'
import { sendJson } from '../http/exchange.ts'
import type { Passage } from '../passage.ts'
import { awaitDrain } from './await-drain.ts'

/** An answer of which everything but the last bytes has left: those wait for the ledger. */
export interface HeldAnswer {
  /** Sends the last bytes and ends the response. */
  release(): void
}

/** What a relay needs to know of the request it answers. */
export interface Relay {
  readonly exchange: Exchange
  readonly dialect: Dialect
  readonly passage: Passage
  readonly prompt: Prompt
}

/**
 * Turns generation events into the client's answer, streamed or whole, holding back its last bytes.
 * Side effects: writes the head and all other bytes; tells the passage what the events say.
 *
 * @throws IncipitError when the generation fails before the head has left
 * @example const held = await relayGeneration(relay, events); await meter(passage, house); held.release()
 */
export async function relayGeneration(relay: Relay, events: AsyncIterable<GenerationEvent>): Promise<HeldAnswer> {
  const noted = note(relay, events)
  return relay.prompt.stream ? relayStream(relay, noted) : relayWhole(relay, noted)
}

async function relayStream(relay: Relay, events: AsyncIterable<GenerationEvent>): Promise<HeldAnswer> {
  const { response, signal } = relay.exchange
  const renderer = relay.dialect.stream(contextOf(relay))
  let last = ''
  try {
    for await (const event of events) {
      if (event.kind === 'prompt') writeHead(relay, event)
      const text = renderer.event(event)
      if (event.kind === 'finish') last = text
      else if (text !== '' && !response.write(text)) await awaitDrain(response, signal)
    }
  } catch (error) {
    if (!response.headersSent || !IncipitError.is(error) || error.code === 'client_closed') throw error
    relay.passage.failed(error)
    last = renderer.error(error)
  }
  return { release: () => void response.end(last) }
}

async function relayWhole(relay: Relay, events: AsyncIterable<GenerationEvent>): Promise<HeldAnswer> {
  const result = await fold(events)
  const body = relay.dialect.answer(result, contextOf(relay))
  const { response } = relay.exchange
  for (const [name, value] of Object.entries(tokenHeaders(result.prompt))) response.setHeader(name, value)
  return { release: () => sendJson(response, 200, body) }
}

async function* note(
  { exchange, passage }: Relay,
  events: AsyncIterable<GenerationEvent>,
): AsyncGenerator<GenerationEvent, void> {
  const iterator = events[Symbol.asyncIterator]()
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const event = next.value
      if (event.kind === 'prompt') passage.prompted(event)
      else {
        passage.answered()
        passage.generated(event.outputTokens)
      }
      yield event
    }
  } finally {
    if (exchange.signal.aborted) await noteUnread(passage, iterator)
    await iterator.return?.()
  }
}

/** What a slow reader left behind was generated all the same. */
async function noteUnread(passage: Passage, events: AsyncIterator<GenerationEvent>): Promise<void> {
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      if (next.value.kind !== 'prompt') passage.generated(next.value.outputTokens)
    }
  } catch {
    // The abort itself comes behind what was waiting; whoever aborted has been told.
  }
}

async function fold(events: AsyncIterable<GenerationEvent>): Promise<GenerationResult> {
  let prompt: PromptReport | undefined
  const texts: string[] = []
  const logprobs: TokenLogprob[] = []
  for await (const event of events) {
    if (event.kind === 'prompt') prompt = event
    else if (event.kind === 'text-delta') {
      texts.push(event.text)
      logprobs.push(...(event.logprobs ?? []))
    } else if (prompt !== undefined) {
      const { reason, outputTokens } = event
      return {
        prompt,
        text: texts.join(''),
        logprobs: logprobs.length > 0 ? logprobs : undefined,
        reason,
        outputTokens,
      }
    }
  }
  throw new IncipitError('engine_failed', 'the generation ended without saying how')
}

function contextOf({ exchange, passage, prompt }: Relay): AnswerContext {
  return { id: exchange.id, model: prompt.model, createdAt: passage.at, prompt }
}

function writeHead({ exchange, dialect }: Relay, report: PromptReport): void {
  const type = dialect.streamContentType
  exchange.response.writeHead(200, { ...tokenHeaders(report), 'content-type': type, 'cache-control': 'no-cache' })
}

/** Token counts are known before the body of an engine's answer: they travel in its head (F-6). */
function tokenHeaders(report: PromptReport): Record<string, string> {
  const [prompt, cached] = [String(report.promptTokens), String(report.cachedTokens)]
  return {
    'x-incipit-prompt-tokens': prompt,
    'x-incipit-cached-tokens': cached,
    'fireworks-prompt-tokens': prompt,
    'fireworks-cached-prompt-tokens': cached,
  }
}
