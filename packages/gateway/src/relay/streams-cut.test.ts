import type { AnswerEvent, Dialect, DialectName, UpstreamFault } from '@incipit/core'
import { createParser } from 'eventsource-parser'
import * as fc from 'fast-check'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { dialectNamed } from '../dialects.ts'
import { UsageHider } from './hide-usage.ts'
import { StreamTap } from './stream-tap.ts'
import type { RawUsage } from './usage-scan.ts'
import { WholeEvents } from './whole-events.ts'

const fixtures = new URL('../../../../fixtures/', import.meta.url)
const dialects: readonly DialectName[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'workers-ai']
const transcripts = dialects.flatMap((name) =>
  [`${name}/`, `quirks/${name}/`].flatMap((folder) =>
    filesIn(folder).map((file) => ({
      case: folder + file,
      dialect: dialectNamed(name),
      bytes: readFileSync(new URL(folder + file, fixtures)),
    })),
  ),
)
const chats = transcripts.filter(({ dialect }) => dialect.name === 'openai-chat')

test('there are transcripts of every dialect, with pings, CRLF, and frames behind the end', () => {
  expect(new Set(transcripts.map(({ dialect }) => dialect.name))).toEqual(new Set(dialects))
  const texts = transcripts.map(({ bytes }) => bytes.toString('utf8'))
  expect(texts.some((text) => text.includes('\r\n\r\n'))).toBe(true)
  expect(texts.some((text) => text.includes('event: ping'))).toBe(true)
  expect(texts.filter((text) => text.includes('vendor_metrics'))).toHaveLength(3)
})

test.each(transcripts)('D-43 $case cut at every byte gives the same usage, end and events', ({ dialect, bytes }) => {
  const whole = readIn(dialect, [bytes])
  expect(whole.tapped).toEqual(whole.fault)
  expect(whole.events.length + (whole.fault === undefined ? 0 : 1)).toBeGreaterThan(0)
  const differing = placesIn(bytes).filter(
    (at) => JSON.stringify(readIn(dialect, cutAt(bytes, [at]))) !== JSON.stringify(whole),
  )
  expect(differing).toEqual([])
})

test('D-43 transcripts cut at many bytes give the same usage, end and events', () => {
  const expected = transcripts.map(({ dialect, bytes }) => readIn(dialect, [bytes]))
  fc.assert(
    fc.property(fc.nat(transcripts.length - 1), fc.array(fc.nat(7_000), { maxLength: 40 }), (index, places) => {
      const transcript = transcripts[index]
      expect(transcript && readIn(transcript.dialect, cutAt(transcript.bytes, places))).toEqual(expected[index])
    }),
    { numRuns: 300 },
  )
})

test.each(chats)('$case without what include_usage adds is the same at every cut', ({ bytes }) => {
  const whole = hidden([bytes])
  expect(placesIn(bytes).filter((at) => !hidden(cutAt(bytes, [at])).equals(whole))).toEqual([])
})

test('hiding usage gives the stream of an upstream that was not asked', () => {
  const asked = readFileSync(new URL('openai-chat/include-usage.sse', fixtures))
  expect(hidden([asked]).toString()).toBe(notAsked(asked.toString()))
  // Written with spaces and other line ends, as servers do.
  const spaced = asked.toString().replaceAll('":', '": ').replaceAll(',"', ', "').replaceAll('\n', '\r\n')
  expect(hidden([Buffer.from(spaced)]).toString()).toBe(notAsked(spaced))
})

test.each(transcripts)('$case leaves in whole events, unchanged at every cut', ({ bytes }) => {
  for (let at = 1; at < bytes.length; at++) {
    const events = new WholeEvents()
    const parts = [events.push(bytes.subarray(0, at)), events.push(bytes.subarray(at))]
    for (const part of parts) expect(part.length === 0 || /\r?\n\r?\n$/.test(part.toString('latin1'))).toBe(true)
    expect(Buffer.concat([...parts, events.finish()]).equals(bytes)).toBe(true)
  }
})

function filesIn(folder: string): string[] {
  const url = new URL(folder, fixtures)
  return existsSync(url) ? readdirSync(url).filter((file) => file.endsWith('.sse')) : []
}

/** What is read of a stream: by the tap that passes bytes, and by the reader of the dialect. */
interface Reading {
  readonly usage: RawUsage | undefined
  readonly answered: boolean
  readonly ended: boolean
  readonly answerId: string | undefined
  readonly tapped: UpstreamFault | undefined
  readonly events: readonly AnswerEvent[]
  readonly fault: UpstreamFault | undefined
}

/** Reads it as `read-upstream` does. */
function readIn(dialect: Dialect, chunks: readonly Buffer[]): Reading {
  const tap = new StreamTap(dialect)
  const text = new TextDecoder('utf-8')
  const reader = dialect.streamReader()
  const events: AnswerEvent[] = []
  let fault: UpstreamFault | undefined
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (fault !== undefined) return
      const step = reader.read({ event, data })
      if (step.kind === 'fault') fault = step.fault
      else events.push(...step.events)
    },
  })
  for (const chunk of chunks) {
    tap.push(chunk)
    parser.feed(text.decode(chunk, { stream: true }))
  }
  tap.finish()
  parser.feed(`${text.decode()}\n\n`)
  if (fault === undefined) events.push(...reader.end())
  const { usage, answered, ended, answerId } = tap
  return { usage, answered, ended, answerId, tapped: tap.fault, events, fault }
}

function hidden(chunks: readonly Buffer[]): Buffer {
  const hider = new UsageHider()
  return Buffer.concat([...chunks.map((chunk) => hider.push(chunk)), hider.finish()])
}

/** The same stream without the chunk of usage and without the null usage of the others, edited as text. */
function notAsked(stream: string): string {
  return stream
    .split(/(?<=\n\r?\n)/)
    .filter((event) => !/"choices": ?\[\]/.test(event))
    .join('')
    .replaceAll(/, ?"usage": ?null/g, '')
}

/** Every place between two bytes. */
function placesIn(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length - 1 }, (_, index) => index + 1)
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.filter((place) => place < bytes.length)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}
