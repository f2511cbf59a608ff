import { expect, test } from 'vitest'
import { dialectNamed } from '../dialects.ts'
import { StreamTap } from './stream-tap.ts'

const [chat, messages, responses] = [
  dialectNamed('openai-chat'),
  dialectNamed('anthropic-messages'),
  dialectNamed('openai-responses'),
]

test('the time to first token ends with content, not with the chunk that names the role, nor with a ping', () => {
  const tap = new StreamTap(chat)
  tap.push(Buffer.from(': ping\n\ndata: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'))
  expect(tap.answered).toBe(false)
  tap.push(Buffer.from('data: {"choices":[{"delta":{"content":"x"}}]}\n\n'))
  expect(tap.answered).toBe(true)
  const claude = new StreamTap(messages)
  claude.push(Buffer.from('event: ping\ndata: {"type":"ping"}\n\n'))
  expect(claude.answered).toBe(false)
})

test('the id of the answer is that of the answer, wherever the stream is cut, and never that of a tool call', () => {
  const stream = Buffer.from(
    'data: {"id":"chatcmpl-1","choices":[{"delta":{"tool_calls":[{"id":"call_1","function":{"name":"f"}}]}}]}\n\n' +
      'data: {"id":"chatcmpl-1","choices":[{"delta":{"tool_calls":[{"id":"call_2","function":{"name":"f"}}]}}]}\n\n',
  )
  for (let at = 0; at <= stream.length; at++) {
    const tap = new StreamTap(chat)
    tap.push(stream.subarray(0, at))
    tap.push(stream.subarray(at))
    expect(tap.answerId).toBe('chatcmpl-1')
  }
})

test('D-51 an event that reports an error is found, and what only looks like one is not', () => {
  const faultOf = (dialect: typeof chat, data: string): string | undefined => {
    const tap = new StreamTap(dialect)
    tap.push(Buffer.from(`data: ${data}\n\n`))
    expect(tap.isOver).toBe(tap.ended || tap.fault !== undefined)
    return tap.fault?.message
  }
  expect(faultOf(chat, '{"error":{"message":"no","code":429}}')).toBe('no')
  expect(faultOf(chat, '{"error":null,"choices":[{"delta":{"content":"\\"error\\":{}"}}]}')).toBeUndefined()
  expect(faultOf(messages, '{"type":"error","error":{"type":"overloaded_error","message":"busy"}}')).toBe('busy')
  expect(faultOf(messages, '{"type":"content_block_delta","index":0,"delta":{"text":"error"}}')).toBeUndefined()
  const failed = { type: 'response.failed', response: { status: 'failed', error: { code: 'x', message: 'down' } } }
  expect(faultOf(responses, JSON.stringify(failed))).toBe('down')
  const schema = { type: 'response.created', response: { error: null, tools: [{ parameters: { type: 'error' } }] } }
  expect(faultOf(responses, JSON.stringify(schema))).toBeUndefined()
})

test('usage split over events is merged by the larger count, and a last line needs no line feed', () => {
  const tap = new StreamTap(messages)
  tap.push(Buffer.from('data: {"message":{"usage":{"input_tokens":9,"output_tokens":1}}}\n'))
  tap.push(Buffer.from('data: {"usage":{"input_tokens":0,"output_tokens":7}}'))
  expect(tap.usage).toEqual({ input_tokens: 9, output_tokens: 1 })
  tap.finish()
  expect(tap.usage).toEqual({ input_tokens: 9, output_tokens: 7 })
})

test('a line without end is kept up to a bound', () => {
  const tap = new StreamTap(chat)
  const chunk = Buffer.alloc(2 ** 20, 'x')
  for (let i = 0; i < 64; i++) tap.push(chunk)
  const before = process.memoryUsage().arrayBuffers
  tap.finish()
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * 2 ** 20)
  expect([tap.usage, tap.ended]).toEqual([undefined, false])
})

test('the service tier is that of the event which reports usage last, at any cut', () => {
  const begun = 'data: {"type":"response.created","response":{"service_tier":"auto","usage":null}}\n\n'
  const metadata = '"metadata":{"service_tier":"forged","usage":{"input_tokens":1}}'
  const done = `data: {"response":{${metadata},"service_tier":"flex","usage":{"input_tokens":3,"output_tokens":2}}}\n\n`
  const stream = Buffer.from(`${begun}${done}data: {"service_tier":"priority","usage":null}\n\n`)
  for (let at = 0; at <= stream.length; at++) {
    const tap = new StreamTap(responses)
    tap.push(stream.subarray(0, at))
    tap.push(stream.subarray(at))
    tap.finish()
    expect(tap.serviceTier(), `cut at ${at}`).toBe('flex')
  }
  const silent = new StreamTap(chat)
  silent.push(Buffer.from('data: {"service_tier":"default","choices":[]}\n\n'))
  silent.finish()
  expect(silent.serviceTier()).toBeUndefined()
})
