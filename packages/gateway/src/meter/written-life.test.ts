import { createAnthropicMessages, createOpenaiChat, createOpenaiResponses, requestId } from '@incipit/core'
import type { Dialect } from '@incipit/core'
import { expect, test } from 'vitest'
import type { UpstreamSettings } from '../config/upstream-settings.ts'
import type { Identified } from '../passage.ts'
import { Passage } from '../passage.ts'
import { systemClock } from '../ports/clock.ts'
import { aSettings } from '../upstreams/testing/a-settings.ts'
import { openUpstream } from '../upstreams/upstream.ts'
import { writtenLife } from './written-life.ts'

const chat = createOpenaiChat()
const responses = createOpenaiResponses()
const messages = createAnthropicMessages()

interface Asked {
  readonly settings: Partial<UpstreamSettings>
  readonly model?: string
  readonly dialect?: Dialect
  readonly spoken?: Dialect
  readonly marks?: readonly object[]
  readonly options?: object
}

function life({ settings, model = 'gpt-6-sol', dialect = chat, spoken = dialect, marks = [], options }: Asked): string {
  const content = [{ type: 'text', text: 'Hi' }, ...marks.map((mark) => ({ type: 'text', text: 'Marked', ...mark }))]
  const body = {
    model,
    max_tokens: 1,
    messages: [{ role: 'user', content }],
    input: 'Hi',
    prompt_cache_options: options,
  }
  const passage = new Passage({ id: requestId('req_1'), receivedAt: 0 }, dialect, { clock: systemClock })
  const prompt = dialect.parse(new TextEncoder().encode(JSON.stringify(body)), {})
  passage.identified({ prompt } as Identified) // no more of it is read
  const upstream = openUpstream({ ...aSettings, ...settings })
  const [replica] = upstream.replicas
  if (replica === undefined) throw new Error('an upstream has a replica')
  const translated = spoken !== dialect
  passage.trying(
    { kind: 'upstream', upstream, model, replica },
    { edits: [], translated, warnings: [], dialect: spoken },
  )
  return writtenLife(passage)
}

const openai = { kind: 'openai' } as const
const openrouter = { kind: 'openrouter' } as const
const mark = (ttl?: string): object => ({ cache_control: { type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) } })

test('D-42 tokens written with OpenAI live as long as was asked for', () => {
  expect(life({ settings: openai })).toBe('30m')
  expect(life({ settings: openai, options: { ttl: '12h' } })).toBe('12h')
  expect(life({ settings: openai, dialect: responses, options: { ttl: '12h' } })).toBe('12h')
  expect(life({ settings: openai, dialect: responses, options: { ttl: 'forever' } })).toBe('30m')
})

test('D-42 tokens written behind OpenRouter live as long as their marks say, the longest of them', () => {
  const model = 'anthropic/claude-opus-5.5'
  expect(life({ settings: openrouter, model })).toBe('5m')
  expect(life({ settings: openrouter, model, marks: [mark()] })).toBe('5m')
  expect(life({ settings: openrouter, model, marks: [mark('1h')] })).toBe('1h')
  expect(life({ settings: openrouter, model, marks: [mark('1h'), mark()] })).toBe('1h')
  expect(life({ settings: openrouter, model: 'openai/gpt-6-sol' })).toBe('30m')
})

test('D-42 of a translated request it is the life that the upstream was asked for', () => {
  const through = { dialect: messages, spoken: chat }
  expect(life({ ...through, settings: openai, marks: [mark('1h')] })).toBe('30m')
  expect(life({ ...through, settings: openrouter, model: 'anthropic/claude-opus-5.5', marks: [mark('1h')] })).toBe('1h')
  const unmarked = { kind: 'openai-compatible', provider: 'moonshot' } as const
  expect(life({ ...through, settings: unmarked, marks: [mark('1h')] })).toBe('5m')
})

test('D-42 Moonshot writes for five minutes unless it is asked for an hour', () => {
  const moonshot = { kind: 'openai-compatible', provider: 'moonshot' } as const
  expect(life({ settings: moonshot })).toBe('5m')
  expect(life({ settings: moonshot, options: { ttl: '1h' } })).toBe('1h')
})
