import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { agentBody, stamp } from './agent-body.ts'

interface ChatBody {
  readonly stream: boolean
  readonly tools: readonly object[]
  readonly messages: readonly { role: string; content: string; tool_call_id?: string; tool_calls?: ToolCall[] }[]
}

interface ToolCall {
  readonly id: string
  readonly function: { readonly name: string; readonly arguments: string }
}

test('a body has exactly the bytes asked for, and the same for the same seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 30_000 }), fc.boolean(), fc.nat(), (bytes, stream, seed) => {
      const body = agentBody({ bytes, stream, seed })
      expect(body.bytes).toHaveLength(bytes)
      expect(agentBody({ bytes, stream, seed })).toEqual(body)
      expect(parse(body.bytes).stream).toBe(stream)
    }),
    { numRuns: 50 },
  )
})

test.each([1, 20, 200, 2048])('a body of %i KB has the parts of an agent session', (kilobytes) => {
  const { bytes } = agentBody({ bytes: kilobytes * 1024, stream: true, seed: 1 })
  const { messages, tools } = parse(bytes)
  const share = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) / bytes.length
  expect(share(messages[0])).toBeGreaterThan(0.23)
  expect(share(messages[0])).toBeLessThan(0.32)
  expect(share(tools)).toBeGreaterThan(0.12)
  expect(share(tools)).toBeLessThan(0.26)
  if (kilobytes === 1) return
  const calls = messages.flatMap((message) => message.tool_calls ?? [])
  expect(calls.length).toBeGreaterThan(1)
  expect(messages.filter((message) => message.role === 'tool').map((message) => message.tool_call_id)).toEqual(
    calls.map((call) => call.id),
  )
  for (const call of calls) expect(JSON.parse(call.function.arguments)).toHaveProperty('path')
  const foreign = [...bytes].filter((byte) => byte >= 0x80).length / bytes.length
  expect(foreign).toBeGreaterThan(0.005)
  expect(foreign).toBeLessThan(0.1)
  expect(bytes.includes('\\n')).toBe(true)
  expect(bytes.includes('\\\\n')).toBe(true)
})

test('a stamp changes the end of the last message and nothing else', () => {
  const { bytes, stampAt } = agentBody({ bytes: 2000, stream: false, seed: 3 })
  const stamped = Buffer.from(bytes)
  stamp(stamped, stampAt, 4711)
  expect(parse(stamped).messages.at(-1)?.content.slice(-12)).toBe('000000004711')
  expect(stamped.subarray(0, stampAt)).toEqual(bytes.subarray(0, stampAt))
  expect(stamped.subarray(stampAt + 12)).toEqual(bytes.subarray(stampAt + 12))
})

test('a body too small for the parts is refused', () => {
  expect(() => agentBody({ bytes: 999, stream: false, seed: 1 })).toThrow('999 bytes; the least is 1000')
})

function parse(bytes: Buffer): ChatBody {
  return JSON.parse(bytes.toString()) as ChatBody // written by the builder under test
}
