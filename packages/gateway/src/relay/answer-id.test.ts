import { expect, test } from 'vitest'
import { answerIdIn } from './answer-id.ts'

const idOf = (text: string): string | undefined => answerIdIn(Buffer.from(text))

test('the id of an answer is found wherever it stands among its members', () => {
  expect(idOf('{"id":"resp_1","object":"response"}')).toBe('resp_1')
  expect(idOf(`{"instructions":${JSON.stringify('x"y\\'.repeat(2_000))},"id" : "resp_1"}`)).toBe('resp_1')
  expect(idOf('data: {"type":"response.created","response":{"metadata":{},"id":"resp_1"}}')).toBe('resp_1')
  expect(idOf('{"type":"message_start","message":{"id":"msg_1"}}')).toBe('msg_1')
})

test('an id that an answer only repeats is not its own: whoever wrote it would own the answer of another', () => {
  expect(idOf('{"metadata":{"id":"resp_other"},"tools":[{"id":"resp_other"}],"id":"resp_1"}')).toBe('resp_1')
  expect(idOf('{"instructions":"\\"id\\":\\"resp_other\\"","id":"resp_1"}')).toBe('resp_1')
  expect(idOf('{"response":{"metadata":{"id":"resp_other"}}}')).toBeUndefined()
  expect(idOf('{"a":{"response":{"id":"resp_other"}}}')).toBeUndefined()
})

test('what is cut, is no text or is no id has none', () => {
  for (const text of ['', '{', '{"id"', '{"id":', '{"id":"resp', '{"id":7}', '{"id":"a b"}', '{"x":"id"}', '[DONE]'])
    expect(idOf(text)).toBeUndefined()
})
