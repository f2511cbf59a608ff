import { IncipitError } from '@incipit/core'
import type { Dispatcher } from 'undici'
import { expect, test } from 'vitest'
import type { AnswerOptions } from './upstream-answer.ts'
import { UpstreamAnswer } from './upstream-answer.ts'
import { UpstreamFailure } from './upstream-failure.ts'

test('what comes before there is a reader waits, within a bound, and comes in order', () => {
  const { answer, controller } = anAnswer()
  answer.onResponseStart(controller, 200, {})
  answer.onResponseData(controller, Buffer.alloc(65_536, 'a'))
  expect(controller.paused).toBe(false)
  answer.onResponseData(controller, Buffer.from('b'))
  expect(controller.paused).toBe(true)
  const seen: string[] = []
  answer.pipe({
    data: (chunk) => seen.push(chunk.toString()) < 9,
    end: () => void seen.push('end'),
    failed: () => void seen.push('failed'),
  })
  expect(controller.paused).toBe(false)
  answer.onResponseData(controller, Buffer.from('c'))
  answer.onResponseEnd()
  expect(seen).toEqual([`${'a'.repeat(65_536)}b`, 'c', 'end'])
})

test('what comes in one turn is given in one piece, before the end and before a failure', async () => {
  const seen: string[] = []
  const sink = {
    data: (chunk: Buffer) => seen.push(chunk.toString()) > 0,
    end: () => void seen.push('end'),
    failed: () => void seen.push('failed'),
  }
  const ended = anAnswer()
  ended.answer.onResponseStart(ended.controller, 200, {})
  ended.answer.pipe(sink)
  for (const text of ['a', 'b']) ended.answer.onResponseData(ended.controller, Buffer.from(text))
  expect(seen).toEqual([])
  await turn()
  ended.answer.onResponseData(ended.controller, Buffer.from('c'))
  ended.answer.onResponseEnd()
  await turn()
  expect(seen.splice(0)).toEqual(['ab', 'c', 'end'])
  const failed = anAnswer()
  failed.answer.onResponseStart(failed.controller, 200, {})
  failed.answer.pipe(sink)
  failed.answer.onResponseData(failed.controller, Buffer.from('d'))
  failed.answer.onResponseError(failed.controller, Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
  await turn()
  expect(seen).toEqual(['d', 'failed'])
})

test('a reader that throws ends the answer, and nothing else', async () => {
  const { answer, controller } = anAnswer()
  answer.onRequestStart(controller)
  answer.onResponseStart(controller, 200, {})
  const data = (): boolean => {
    throw new Error('broken')
  }
  answer.pipe({ data, end: () => undefined, failed: () => undefined })
  answer.onResponseData(controller, Buffer.from('a'))
  await turn()
  expect(controller.reason).toMatchObject({ code: 'upstream_failed', phase: 'answer' })
})

test('a reader that has enough stops the upstream until it resumes', async () => {
  const { answer, controller } = anAnswer()
  answer.onResponseStart(controller, 200, {})
  answer.pipe({ data: () => false, end: () => undefined, failed: () => undefined })
  answer.onResponseData(controller, Buffer.from('a'))
  await turn()
  expect(controller.paused).toBe(true)
  answer.resume()
  expect(controller.paused).toBe(false)
})

test('an answer that ended, or failed, before there is a reader is not lost', () => {
  const ended = anAnswer()
  ended.answer.onResponseStart(ended.controller, 200, {})
  ended.answer.onResponseEnd()
  expect(outcomeOf(ended.answer)).toBe('end')
  const failed = anAnswer()
  failed.answer.onResponseStart(failed.controller, 200, {})
  failed.answer.onResponseError(failed.controller, Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
  expect(outcomeOf(failed.answer)).toBe('upstream_failed')
})

test('too many bytes end the answer, whoever reads it', () => {
  const { answer, controller } = anAnswer({ maxBytes: 10 })
  answer.onResponseStart(controller, 200, {})
  answer.onResponseData(controller, Buffer.alloc(11))
  expect(controller.reason).toMatchObject({ code: 'upstream_too_large', phase: 'answer' })
  expect(controller.reason?.message).toBe('its answer has at least 11 bytes, 10 are allowed')
})

test('a client that leaves ends the request with its reason: before a connection, before the head, and after it', async () => {
  const reason = new IncipitError('client_closed', 'the client went away')
  const waiting = anAnswer()
  waiting.abort.abort(reason)
  await expect(waiting.head).rejects.toBe(reason)
  waiting.answer.onRequestStart(waiting.controller)
  expect(waiting.controller.reason).toBe(reason)

  const sent = anAnswer()
  sent.answer.onRequestStart(sent.controller)
  sent.abort.abort(reason)
  expect(sent.controller.reason).toBe(reason)
  sent.answer.onResponseError(sent.controller, reason)
  await expect(sent.head).rejects.toBe(reason)

  const begun = anAnswer()
  begun.answer.onRequestStart(begun.controller)
  begun.answer.onResponseStart(begun.controller, 200, {})
  begun.abort.abort(reason)
  begun.answer.onResponseError(begun.controller, reason)
  expect(outcomeOf(begun.answer)).toBe('client_closed')
})

test('informational answers are none: the head is the one that follows', async () => {
  const { answer, controller, head } = anAnswer()
  answer.onResponseStart(controller, 103, { link: 'x' })
  answer.onResponseStart(controller, 200, { 'content-type': 'text/plain' })
  expect(await head).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain' } })
})

test('the whole of a short body is given, of a long one as much as is wanted, and a broken one is an error', async () => {
  const whole = anAnswer()
  whole.answer.onResponseStart(whole.controller, 500, {})
  whole.answer.onResponseData(whole.controller, Buffer.from('ab'))
  const bytes = whole.answer.bytes(8)
  whole.answer.onResponseData(whole.controller, Buffer.from('cd'))
  whole.answer.onResponseEnd()
  expect((await bytes).toString()).toBe('abcd')

  const long = anAnswer()
  long.answer.onResponseStart(long.controller, 500, {})
  const part = long.answer.bytes(3)
  long.answer.onResponseData(long.controller, Buffer.from('ab'))
  long.answer.onResponseData(long.controller, Buffer.from('cd'))
  expect((await part).toString()).toBe('abc')
  expect(long.controller.reason).toBeInstanceOf(UpstreamFailure)

  const broken = anAnswer()
  broken.answer.onResponseStart(broken.controller, 500, {})
  const lost = broken.answer.bytes(8)
  broken.answer.onResponseError(broken.controller, Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
  await expect(lost).rejects.toMatchObject({ code: 'upstream_failed', phase: 'answer' })
})

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** A controller as the transport gives one, which notes what it is told. */
interface NotingController extends Dispatcher.DispatchController {
  paused: boolean
  reason: Error | null
}

function anAnswer(more: Partial<AnswerOptions> = {}): {
  answer: UpstreamAnswer
  controller: NotingController
  abort: AbortController
  head: Promise<UpstreamAnswer>
} {
  const abort = new AbortController()
  let answer: UpstreamAnswer | undefined
  const head = new Promise<UpstreamAnswer>((resolve, reject) => {
    answer = new UpstreamAnswer({ signal: abort.signal, maxBytes: 2 ** 20, resolve, reject, ...more })
  })
  head.catch(() => undefined)
  const controller: NotingController = {
    paused: false,
    aborted: false,
    reason: null,
    pause: () => void (controller.paused = true),
    resume: () => void (controller.paused = false),
    abort: (reason) => void (controller.reason = reason),
  }
  if (answer === undefined) throw new Error('a promise runs at once')
  return { answer, controller, abort, head }
}

function outcomeOf(answer: UpstreamAnswer): string {
  let outcome = 'nothing'
  answer.pipe({
    data: () => true,
    end: () => void (outcome = 'end'),
    failed: (error) => void (outcome = error.code),
  })
  return outcome
}
