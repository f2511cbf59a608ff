import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { pause } from './pause.ts'

test('it waits so long, and leaves no listener behind', async () => {
  const { signal } = new AbortController()
  const before = performance.now()
  await pause(20, signal)
  expect(performance.now() - before).toBeGreaterThan(15)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('a client that leaves, or that left before, ends it with the reason', async () => {
  const controller = new AbortController()
  const reason = new Error('left')
  const waiting = pause(60_000, controller.signal)
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(pause(60_000, controller.signal)).rejects.toBe(reason)
})

test('nothing to wait for is no wait', async () => {
  await expect(pause(0, AbortSignal.abort(new Error('left')))).resolves.toBeUndefined()
})
