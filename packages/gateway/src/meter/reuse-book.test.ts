import { epochMs, sessionId, wireHash } from '@incipit/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Visit } from './reuse-book.ts'
import { ReuseBook } from './reuse-book.ts'

const opening = wireHash('00000000000000aa')
const other = wireHash('00000000000000bb')

function visit(session: string, more: Partial<Visit> = {}): Visit {
  return {
    scopeKey: 'scope',
    upstream: 'claude',
    model: 'm',
    session: sessionId(session),
    opening,
    began: epochMs(100),
    leaves: true,
    ...more,
  }
}

const now = epochMs(50)

test('M-3 the first of all, of a session, of another session with the same opening', () => {
  const book = new ReuseBook()
  expect(book.visit(visit('a'), now)).toBe('first')
  expect(book.visit(visit('a'), now)).toBe('same_session')
  expect(book.visit(visit('b'), now)).toBe('across_sessions')
  expect(book.visit(visit('c', { opening: other }), now)).toBe('first')
  expect(book.visit(visit('d', { opening: undefined }), now)).toBe('first')
  expect(book.visit(visit('d', { opening: undefined }), now)).toBe('same_session')
})

test('M-3 another scope, model or upstream is another cache', () => {
  const book = new ReuseBook()
  book.visit(visit('a'), now)
  for (const elsewhere of [{ scopeKey: 'theirs' }, { model: 'n' }, { upstream: 'gpt' }]) {
    expect(book.visit(visit('a', elsewhere), now)).toBe('first')
  }
})

test('M-3 what had not been answered when a request began has left it nothing', () => {
  const book = new ReuseBook()
  expect(book.visit(visit('a', { began: epochMs(10) }), epochMs(30))).toBe('first')
  expect(book.visit(visit('a', { began: epochMs(20) }), epochMs(40))).toBe('first')
  expect(book.visit(visit('a', { began: epochMs(30) }), epochMs(50))).toBe('same_session')
  expect(book.visit(visit('b', { leaves: false }), now)).toBe('across_sessions')
  expect(book.visit(visit('b'), now)).toBe('across_sessions')
  expect(book.visit(visit('b'), now)).toBe('same_session')
})

test('M-3 the last ones are remembered, and those not seen for long are forgotten', () => {
  const book = new ReuseBook(2)
  const alone = { opening: undefined }
  for (const session of ['a', 'b', 'a', 'c', 'a']) book.visit(visit(session, alone), now)
  expect(book.visit(visit('b', alone), now)).toBe('same_session')
  for (const session of ['a', 'c', 'd']) book.visit(visit(session, alone), now)
  expect(book.visit(visit('a', alone), now)).toBe('same_session')
  expect(book.visit(visit('b', alone), now)).toBe('first')
})

test('M-3 equals a naive model that remembers every request', () => {
  const requests = fc.array(
    fc.record({
      session: fc.constantFrom('a', 'b', 'c'),
      opening: fc.constantFrom(undefined, opening, other),
      model: fc.constantFrom('m', 'n'),
      began: fc.nat(20).map(epochMs),
      took: fc.nat(10),
      leaves: fc.boolean(),
    }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(requests, (list) => {
      const book = new ReuseBook()
      const answered: { session: string; opening: string | undefined; model: string; at: number }[] = []
      const inOrder = list
        .map((request) => ({ ...request, at: epochMs(request.began + request.took) }))
        .sort((a, b) => a.at - b.at)
      for (const request of inOrder) {
        const earlier = answered.filter(({ model, at }) => model === request.model && at <= request.began)
        const across = request.opening !== undefined && earlier.some((one) => one.opening === request.opening)
        const expected = earlier.some(({ session }) => session === request.session)
          ? 'same_session'
          : across
            ? 'across_sessions'
            : 'first'
        const { session, ...rest } = request
        expect(book.visit(visit(session, rest), request.at)).toBe(expected)
        if (request.leaves) answered.push(request)
      }
    }),
  )
})
