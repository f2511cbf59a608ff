import * as fc from 'fast-check'
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Answer, AnswerEvent, UpstreamFault } from '../../domain/answer.ts'
import type { AnswerContext, Dialect, ServerSentEvent } from '../../domain/dialect.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { GenerationEvent } from '../../domain/generation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import type { Prompt, Span } from '../../domain/prompt.ts'
import { epochMs, tokenCount } from '../../domain/units.ts'
import { answerEvents } from '../shared/answer-events.ts'
import { AnswerFold } from '../shared/answer-fold.ts'

export const hasher: Hasher = {
  hmacSha256: (key, message) => createHmac('sha256', key).update(message).digest(),
  sha256: (message) => createHash('sha256').update(message).digest(),
}

export function encode(body: unknown): Uint8Array {
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
}

/** The client's bytes of a span. */
export function slice(prompt: Prompt, span: Span | undefined): string {
  return new TextDecoder().decode(prompt.body.subarray(span?.start, span?.end))
}

export function contextOf(prompt: Prompt): AnswerContext {
  return { id: 'req_0123456789abcdef01234567', model: prompt.model, createdAt: epochMs(1_763_690_000_999), prompt }
}

export function errorOf(run: () => unknown): IncipitError {
  try {
    run()
  } catch (error) {
    if (IncipitError.is(error)) return error
    throw error
  }
  return expect.unreachable('expected an IncipitError')
}

/** Texts of the deltas of one generation, and its counts. */
export interface Generated {
  readonly texts: readonly string[]
  readonly prompt: number
  readonly cached: number
  readonly output: number
}

export const generated: fc.Arbitrary<Generated> = fc
  .record({
    texts: fc.array(fc.string({ unit: 'binary', maxLength: 6 }), { maxLength: 6 }),
    evaluated: fc.nat(100_000),
    cached: fc.nat(100_000),
    output: fc.nat(10_000),
  })
  .map(({ texts, evaluated, cached, output }) => ({ texts, prompt: evaluated + cached, cached, output }))

/** The events of the engine for such a generation. */
export function generationEvents({ texts, prompt, cached, output }: Generated): GenerationEvent[] {
  return [
    {
      kind: 'prompt',
      promptTokens: tokenCount(prompt),
      cachedTokens: tokenCount(cached),
      evaluatedTokens: tokenCount(prompt - cached),
      tiers: { hot: tokenCount(cached), ram: tokenCount(0), disk: tokenCount(0) },
    },
    ...texts.map((text, index) => {
      return { kind: 'text-delta', text, outputTokens: tokenCount(Math.min(index + 1, output)) } as const
    }),
    { kind: 'finish', reason: 'stop', outputTokens: tokenCount(output) },
  ]
}

/** The same as every dialect takes them. */
export function eventsOf(generated: Generated): AnswerEvent[] {
  return generationEvents(generated).map(answerEvents())
}

export function answerOf(generated: Generated): Answer {
  return wholeOf(eventsOf(generated))
}

/** The answer of events that end with a `finish`. */
export function wholeOf(events: readonly AnswerEvent[]): Answer {
  return fold(events) ?? expect.unreachable('no finish')
}

/** All events of one answer put together. */
export function fold(events: readonly AnswerEvent[]): Answer | undefined {
  const fold = new AnswerFold()
  for (const event of events) fold.push(event)
  return fold.answer
}

/** Server-sent events of a transcript, whatever its line ends. */
export function sseOf(transcript: string): ServerSentEvent[] {
  return transcript
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .flatMap((block) => {
      const valuesOf = (name: string): string[] =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ''))
      const data = valuesOf('data')
      return data.length === 0 ? [] : [{ event: valuesOf('event')[0], data: data.join('\n') }]
    })
}

/** What a reader makes of a transcript: its events, and the fault that ended it. */
export function readStream(
  dialect: Dialect,
  transcript: string,
): { readonly events: AnswerEvent[]; readonly fault: UpstreamFault | undefined } {
  const reader = dialect.streamReader()
  const events: AnswerEvent[] = []
  for (const event of sseOf(transcript)) {
    const step = reader.read(event)
    if (step.kind === 'fault') return { events, fault: step.fault }
    events.push(...step.events)
  }
  return { events: [...events, ...reader.end()], fault: undefined }
}

/** The whole of a streamed answer, as sent. */
export function streamed(dialect: Dialect, prompt: Prompt, events: readonly AnswerEvent[]): string {
  const renderer = dialect.stream(contextOf(prompt))
  return events.map((event) => renderer.event(event)).join('')
}

/** The data of each event of a stream. */
export function dataOf(stream: string): string[] {
  expect(stream).toMatch(/^(?:data: [^\n]*\n\n)*$/)
  return stream.split('\n\n').flatMap((event) => (event === '' ? [] : [event.slice('data: '.length)]))
}

/** A transcript under `fixtures/`. */
export function fixture(path: string): string {
  return readFileSync(new URL(`../../../../../fixtures/${path}`, import.meta.url), 'utf8')
}
