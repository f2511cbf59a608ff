import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { awaitDrain } from './await-drain.ts'

test('waits for the drain, and leaves no listener behind', async () => {
  const response = aResponse(true)
  const waiting = awaitDrain(response, new AbortController().signal)
  response.emit('drain')
  await waiting
  expect(response.listenerCount('drain')).toBe(0)
})

test('does not wait where there is room', async () => {
  await expect(awaitDrain(aResponse(false), new AbortController().signal)).resolves.toBeUndefined()
})

test('a client that leaves, or that left before, ends the wait', async () => {
  const controller = new AbortController()
  const waiting = awaitDrain(aResponse(true), controller.signal)
  controller.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'client_closed' })
  await expect(awaitDrain(aResponse(true), controller.signal)).rejects.toMatchObject({ code: 'client_closed' })
})

test('a client that reads nothing is given up', async () => {
  await expect(awaitDrain(aResponse(true), new AbortController().signal, 5)).rejects.toMatchObject({
    code: 'client_closed',
  })
})

function aResponse(writableNeedDrain: boolean): ServerResponse {
  return Object.assign(new EventEmitter(), { writableNeedDrain }) as unknown as ServerResponse // only these are used
}
