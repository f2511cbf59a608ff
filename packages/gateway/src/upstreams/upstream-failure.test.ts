import { expect, test } from 'vitest'
import { UpstreamFailure } from './upstream-failure.ts'

const of = (code: string, begun = false): readonly string[] => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:443'), code === '' ? {} : { code })
  const { phase, code: word, message } = UpstreamFailure.of(cause, begun)
  return [phase, word, message]
}

test.each([
  ['ECONNREFUSED', 'connect', 'upstream_unreachable', 'the connection was refused'],
  ['ENOTFOUND', 'connect', 'upstream_unreachable', 'its host name was not found'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect', 'upstream_timeout', 'no connection within its time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'first-byte', 'upstream_timeout', 'no first byte within its time'],
  ['UND_ERR_SOCKET', 'lost', 'upstream_failed', 'the connection was lost'],
  ['ECONNRESET', 'lost', 'upstream_failed', 'the connection was lost'],
  ['HPE_INVALID_CONSTANT', 'lost', 'upstream_failed', 'its answer is not HTTP'],
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'connect',
    'upstream_unreachable',
    'its certificate was not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)',
  ],
  ['CERT_HAS_EXPIRED', 'connect', 'upstream_unreachable', 'its certificate was not accepted (CERT_HAS_EXPIRED)'],
  ['', 'lost', 'upstream_failed', 'Error'],
])('%s before the head is %s, %s: %s', (code, phase, word, message) => {
  expect(of(code)).toEqual([phase, word, message])
})

test('once the answer has begun nothing may be repeated, whatever happened', () => {
  expect(of('ECONNRESET', true)).toEqual(['answer', 'upstream_failed', 'the connection was lost'])
  expect(of('UND_ERR_BODY_TIMEOUT', true)).toEqual([
    'answer',
    'upstream_timeout',
    'it went silent in the middle of its answer',
  ])
  expect(of('UND_ERR_RES_CONTENT_LENGTH_MISMATCH', true)[2]).toBe('its answer is shorter than announced')
})

test('a message never tells an address, and the cause is kept', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:443'), { code: 'ECONNREFUSED' })
  const failure = UpstreamFailure.of(cause)
  expect(failure.message).not.toContain('10.1.2.3')
  expect(failure.cause).toBe(cause)
})
