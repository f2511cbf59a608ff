import { expect, test } from 'vitest'
import { createOpenaiChat } from './index.ts'

const dialect = createOpenaiChat()
const none = { type: undefined, code: undefined, param: undefined }

test.each([
  [
    'OpenAI',
    '{"error":{"message":"no","type":"invalid_request_error","param":"x","code":"invalid_parameter"}}',
    { type: 'invalid_request_error', code: 'invalid_parameter', message: 'no', param: 'x' },
  ],
  ['OpenRouter, with a number', '{"error":{"code":400,"message":"no"}}', { ...none, code: '400', message: 'no' }],
  [
    'SGLang, at top level',
    '{"object":"error","message":"no","type":"BadRequestError","param":null,"code":400}',
    { ...none, type: 'BadRequestError', code: '400', message: 'no' },
  ],
  ['xAI, as a string', '{"code":"denied","error":"no"}', { ...none, code: 'denied', message: 'no' }],
  ['a framework', '{"detail":"no"}', { ...none, message: 'no' }],
  ['a bare message', '{"message":"no"}', { ...none, message: 'no' }],
])('the error of an upstream is understood: %s', (_, body, fault) => {
  expect(dialect.readFault(400, body)).toEqual(fault)
})

test.each([['<html>secret</html>'], ['"secret"'], ['{"secret":1}'], ['']])(
  'an error that we do not know is measured, not repeated: %s',
  (body) => {
    const { message } = dialect.readFault(502, body)
    expect(message).toContain('502')
    expect(message).toContain(`${body.length} characters`)
    expect(message).not.toContain('secret')
  },
)

test.each([
  [429, 429, 'rate_limit_error'],
  [529, 503, 'server_error'],
  [400, 400, 'invalid_request_error'],
])('the fault of another dialect with status %d leaves in the words of this one', (status, sent, type) => {
  const rendered = dialect.fault({ ...none, type: 'overloaded_error', message: 'busy' }, status, 'req_1')
  expect(rendered.status).toBe(sent)
  expect(JSON.parse(rendered.body)).toEqual({
    error: { message: 'busy', type, param: null, code: 'overloaded_error', request_id: 'req_1' },
  })
})
