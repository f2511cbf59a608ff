import { expect, test } from 'vitest'
import { abortSignalOf, Cancellation } from './cancellation.ts'

const reason = new Error('gone')

test('everyone who listens is told once, with the reason, and nobody who has left', () => {
  const cancellation = new Cancellation()
  const told: string[] = []
  const leaver = (): void => void told.push('leaver')
  cancellation.addEventListener('abort', () => told.push(`first ${String(cancellation.reason)}`))
  cancellation.addEventListener('abort', leaver)
  cancellation.removeEventListener('abort', leaver)
  cancellation.abort(reason)
  cancellation.abort(new Error('again'))
  expect(told).toEqual(['first Error: gone'])
  expect([cancellation.aborted, cancellation.reason]).toEqual([true, reason])
})

test('the signal of the platform says the same, made before the end or after', () => {
  const [early, late] = [new Cancellation(), new Cancellation()]
  const signal = abortSignalOf(early)
  early.abort(reason)
  late.abort(reason)
  expect([signal.aborted, signal.reason]).toEqual([true, reason])
  expect(abortSignalOf(late)).toMatchObject({ aborted: true, reason })
  expect(abortSignalOf(signal)).toBe(signal)
})
