import { sessionId } from '@incipit/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeHasher } from '../ports/node-hasher.ts'
import { serviceOf } from './control-group.ts'

const ports = { hasher: nodeHasher, secret: new Uint8Array(32).fill(7) }
const none = { prefixCache: undefined }
const isDrawn = (session: string, fraction: number): boolean =>
  serviceOf({ head: none, session: sessionId(session), fraction }, ports).control
const sessions = Array.from({ length: 2_000 }, (_, index) => `ses_${index}`)

test('M-1 a session is drawn once and for all, and a growing fraction lets nobody go', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (session, a, b) => {
        const [small, large] = a < b ? [a, b] : [b, a]
        expect(isDrawn(session, small)).toBe(isDrawn(session, small))
        expect(isDrawn(session, large) || !isDrawn(session, small)).toBe(true)
      },
    ),
  )
})

test('M-1 a fraction of the sessions is drawn, none of 0 and all of 1', () => {
  const drawn = (fraction: number): number => sessions.filter((session) => isDrawn(session, fraction)).length
  expect([drawn(0), drawn(1)]).toEqual([0, 2_000])
  expect(Math.abs(drawn(0.2) - 400)).toBeLessThan(80)
})

test('M-1 another secret draws others', () => {
  const other = { ...ports, secret: new Uint8Array(32).fill(8) }
  const fraction = 0.5
  const [a, b] = [ports, other].map((one) =>
    sessions.map((id) => serviceOf({ head: none, session: sessionId(id), fraction }, one).control),
  )
  expect(a).not.toEqual(b)
})

test('what a client asks for wins over the draw', () => {
  const session = sessionId('ses_1')
  for (const prefixCache of ['on', 'off'] as const) {
    expect(serviceOf({ head: { prefixCache }, session, fraction: 1 }, ports)).toEqual({ prefixCache, control: false })
  }
  expect(serviceOf({ head: none, session, fraction: 1 }, ports)).toEqual({ prefixCache: 'off', control: true })
})
