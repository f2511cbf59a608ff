import * as fc from 'fast-check'
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { AnswerContext, Dialect } from '../../domain/dialect.ts'
import { IncipitError } from '../../domain/errors.ts'
import type { GenerationEvent, GenerationResult } from '../../domain/generation.ts'
import type { Hasher } from '../../domain/hasher.ts'
import type { Prompt, Span } from '../../domain/prompt.ts'
import { epochMs, tokenCount } from '../../domain/units.ts'

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

export function resultOf({ texts, prompt, cached, output }: Generated): GenerationResult {
  return {
    prompt: {
      promptTokens: tokenCount(prompt),
      cachedTokens: tokenCount(cached),
      evaluatedTokens: tokenCount(prompt - cached),
      tiers: { hot: tokenCount(cached), ram: tokenCount(0), disk: tokenCount(0) },
    },
    text: texts.join(''),
    logprobs: undefined,
    reason: 'stop',
    outputTokens: tokenCount(output),
  }
}

export function eventsOf(generated: Generated): GenerationEvent[] {
  const result = resultOf(generated)
  return [
    { kind: 'prompt', ...result.prompt },
    ...generated.texts.map((text, index) => {
      return { kind: 'text-delta', text, outputTokens: tokenCount(Math.min(index + 1, generated.output)) } as const
    }),
    { kind: 'finish', reason: result.reason, outputTokens: result.outputTokens },
  ]
}

/** The whole of a streamed answer, as sent. */
export function streamed(dialect: Dialect, prompt: Prompt, events: readonly GenerationEvent[]): string {
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
