import type { GenerationEvent } from '@incipit/core'
import { tokenCount } from '@incipit/core'
import { expect, test } from 'vitest'
import { EventQueue } from './event-queue.ts'

const finish: GenerationEvent = { kind: 'finish', reason: 'stop', outputTokens: tokenCount(2) }

test('text that nobody has read yet is joined, and nothing is lost', async () => {
  const queue = new EventQueue()
  queue.push({ kind: 'text-delta', text: 'one ', outputTokens: tokenCount(1) })
  queue.push({ kind: 'text-delta', text: 'two', outputTokens: tokenCount(3) })
  queue.push(finish)
  expect(await read(queue)).toEqual([{ kind: 'text-delta', text: 'one two', outputTokens: tokenCount(3) }, finish])
})

test('a reader who waits gets each event as it comes', async () => {
  const queue = new EventQueue()
  const events = queue[Symbol.asyncIterator]()
  const first = events.next()
  queue.push({ kind: 'text-delta', text: 'a', outputTokens: tokenCount(1) })
  expect((await first).value).toEqual({ kind: 'text-delta', text: 'a', outputTokens: tokenCount(1) })
  const second = events.next()
  queue.push(finish)
  expect((await second).value).toEqual(finish)
  expect((await events.next()).done).toBe(true)
})

test('an error comes behind what was waiting, and not after the finish', async () => {
  const failing = new EventQueue()
  failing.push({ kind: 'text-delta', text: 'a', outputTokens: tokenCount(1) })
  failing.fail(new Error('gone'))
  const events = failing[Symbol.asyncIterator]()
  expect((await events.next()).value).toEqual({ kind: 'text-delta', text: 'a', outputTokens: tokenCount(1) })
  await expect(events.next()).rejects.toThrow('gone')

  const finished = new EventQueue()
  finished.push(finish)
  finished.fail(new Error('gone'))
  expect(await read(finished)).toEqual([finish])
})

async function read(queue: EventQueue): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = []
  for await (const event of queue) events.push(event)
  return events
}
