import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventQueue } from './event-queue.ts'

test('events are handed over in order, whatever comes first: the event or who waits for it', async () => {
  const queue = new EventQueue<number>({ resume: () => undefined })
  const taken = collect(queue)
  await turn()
  queue.push(1)
  await turn()
  queue.push(2)
  queue.push(3)
  queue.end()
  expect(await taken).toEqual([1, 2, 3])
})

test('what has arrived is handed out before the failure', async () => {
  const queue = new EventQueue<number>({ resume: () => undefined })
  queue.push(1)
  queue.fail(new Error('lost'))
  queue.end()
  const taken: number[] = []
  await expect(async () => {
    for await (const event of queue) taken.push(event)
  }).rejects.toThrow('lost')
  expect(taken).toEqual([1])
})

test('it is full at 256 events, and its source goes on as soon as one is taken', async () => {
  let resumed = 0
  const queue = new EventQueue<number>({ resume: () => void resumed++ })
  for (let i = 0; i < 255; i++) queue.push(i)
  expect(queue.full).toBe(false)
  queue.push(255)
  expect(queue.full).toBe(true)
  const iterator = queue[Symbol.asyncIterator]()
  await iterator.next()
  expect([queue.full, resumed]).toEqual([false, 1])
  await iterator.next()
  expect(resumed).toBe(1)
})

test('nothing is lost or turned round between a source that obeys and a slow loop', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(2_000), fc.nat(7), async (count, slowness) => {
      let sent = 0
      const send = (): void => {
        while (sent < count && !queue.full) queue.push(sent++)
        if (sent === count) queue.end()
      }
      const queue = new EventQueue<number>({ resume: send })
      send()
      const taken: number[] = []
      for await (const event of queue) {
        taken.push(event)
        if (slowness > 0 && event % (slowness * 50) === 0) await turn()
      }
      expect(taken).toEqual(Array.from({ length: count }, (_, index) => index))
    }),
    { numRuns: 50 },
  )
})

async function collect<T>(queue: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = []
  for await (const event of queue) taken.push(event)
  return taken
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
