import { expect, test } from 'vitest'
import { serviceTierIn, serviceTierOf } from './service-tier.ts'
import { WholeTap } from './whole-tap.ts'

const tierIn = (text: string): string | undefined => serviceTierIn(Buffer.from(text))

test('the tier of an answer is its own member, and none that it repeats of its request', () => {
  expect(tierIn('{"id":"c1","service_tier":"flex","usage":{}}')).toBe('flex')
  expect(tierIn('{"response":{"output":[{"text":"\\"service_tier\\":\\"x\\""}],"service_tier" : "priority"}}')).toBe(
    'priority',
  )
  expect(tierIn('{"metadata":{"service_tier":"forged"},"service_tier":"default"}')).toBe('default')
  expect(tierIn('{"metadata":{"service_tier":"forged"}}')).toBeUndefined()
  expect(tierIn('{"service_tier":null}')).toBeUndefined()
  expect(tierIn('{"service_tier":"two words"}')).toBeUndefined()
})

test('the tier of Anthropic is in its usage, and its fast mode is one', () => {
  expect(serviceTierOf({ service_tier: 'batch' })).toBe('batch')
  expect(serviceTierOf({ service_tier: 'standard', speed: 'standard' })).toBe('standard')
  expect(serviceTierOf({ service_tier: 'standard', speed: 'fast' })).toBe('fast')
  expect(serviceTierOf({ service_tier: 7 })).toBeUndefined()
  expect(serviceTierOf({ service_tier: 'x'.repeat(100) })).toBeUndefined()
  expect(serviceTierOf({})).toBeUndefined()
})

test('a whole answer has its tier, at any cut', () => {
  const bytes = Buffer.from('{"id":"c1","service_tier":"flex","usage":{"prompt_tokens":3}}')
  for (let at = 0; at <= bytes.length; at++) {
    const tap = new WholeTap()
    tap.push(bytes.subarray(0, at))
    tap.push(bytes.subarray(at))
    tap.finish()
    expect(tap.serviceTier()).toBe('flex')
  }
})
