import { expect, test } from 'vitest'
import { createOpenaiChat } from '../dialects/openai-chat/index.ts'
import { createOpenaiResponses } from '../dialects/openai-responses/index.ts'
import { storedReferences } from './stored-references.ts'

const responses = createOpenaiResponses()
const nothing = { previousResponseIds: [], conversation: false, items: false }

function references(body: string): unknown {
  return storedReferences(responses.parse(new TextEncoder().encode(body), {}))
}

test('P-6 what a Responses body refers to is found, in every form', () => {
  expect(references('{"model":"m","input":"Hi","previous_response_id":"resp_1"}')).toEqual({
    ...nothing,
    previousResponseIds: ['resp_1'],
  })
  expect(references('{"model":"m","conversation":"conv_1"}')).toEqual({ ...nothing, conversation: true })
  expect(references('{"model":"m","conversation":{"id":"conv_1"}}')).toEqual({ ...nothing, conversation: true })
  for (const item of ['{"type":"item_reference","id":"msg_1"}', '{"id":"msg_1"}', '{"type":null,"id":"msg_1"}']) {
    expect(references(`{"model":"m","input":[{"role":"user","content":"Hi"},${item}]}`)).toEqual({
      ...nothing,
      items: true,
    })
  }
})

test('P-6 of a name said twice all values count, however it is escaped and whatever the last one is', () => {
  const twice = '"previous_response_id":"resp_1","previous\\u005fresponse_id":"resp_2"'
  expect(references(`{"model":"m",${twice}}`)).toMatchObject({ previousResponseIds: ['resp_1', 'resp_2'] })
  const taken = '"previous_response_id":"resp_1","previous_response_id":null'
  expect(references(`{"model":"m","input":"Hi",${taken}}`)).toMatchObject({ previousResponseIds: ['resp_1'] })
  const gone = '"conversation":"conv_1","conversation":null'
  expect(references(`{"model":"m","input":"Hi",${gone}}`)).toMatchObject({ conversation: true })
  const item = '{"type":"item_reference","id":"msg_1","role":"user","content":"x","type":"message"}'
  expect(references(`{"model":"m","input":[${item}]}`)).toMatchObject({ items: true })
})

test('P-6 what is absent, null, of another kind, or whole refers to nothing', () => {
  expect(references('{"model":"m","input":"Hi"}')).toEqual(nothing)
  expect(references('{"model":"m","input":"Hi","previous_response_id":null}')).toEqual(nothing)
  expect(references('{"model":"m","input":"Hi","previous_response_id":["resp_1"]}')).toEqual(nothing)
  const whole = '{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Hi"}]}'
  expect(references(`{"model":"m","input":[${whole},{"id":"msg_2","role":"user","content":"Hi"}]}`)).toEqual(nothing)
})

test('P-6 other dialects refer to nothing, whatever they name so', () => {
  const body = '{"model":"m","previous_response_id":"resp_1","messages":[{"role":"user","content":"Hi"}]}'
  const prompt = createOpenaiChat().parse(new TextEncoder().encode(body), {})
  expect(storedReferences(prompt)).toEqual(nothing)
})
