import { describe, expect, test } from 'vitest'
import type { TemplateSwitches } from '../../domain/generation.ts'
import { createAnthropicMessages } from '../anthropic-messages/index.ts'
import { createOpenaiChat } from '../openai-chat/index.ts'
import { createOpenaiResponses } from '../openai-responses/index.ts'
import { encode, errorOf } from '../testing/generations.ts'
import { templateSwitches } from './template-switches.ts'

const messages = [{ role: 'user', content: 'x' }]
const chat = createOpenaiChat()
const anthropic = createAnthropicMessages()
const responses = createOpenaiResponses()

const inChat = (body: object): TemplateSwitches | undefined =>
  templateSwitches(chat.read(chat.parse(encode({ model: 'm', messages, ...body }), {})))
const inMessages = (body: object): TemplateSwitches | undefined =>
  templateSwitches(anthropic.read(anthropic.parse(encode({ model: 'm', max_tokens: 9, messages, ...body }), {})))
const inResponses = (body: object): TemplateSwitches | undefined =>
  templateSwitches(responses.read(responses.parse(encode({ model: 'm', input: 'x', ...body }), {})))

describe('what a client sets in a chat template', () => {
  test('is nothing where it says nothing', () => {
    for (const switches of [inChat({}), inMessages({}), inResponses({})]) expect(switches).toBeUndefined()
  })

  test('effort and thinking, in the words of each dialect', () => {
    expect(inChat({ reasoning_effort: 'low' })).toEqual({ effort: 'low', thinking: true })
    expect(inResponses({ reasoning: { effort: 'high' } })).toEqual({ effort: 'high', thinking: true })
    expect(inMessages({ thinking: { type: 'enabled', budget_tokens: 1_024 } })).toEqual({ thinking: true })
    expect(inMessages({ thinking: { type: 'disabled' } })).toEqual({ thinking: false })
  })

  test('an effort of none is not to think, and no word for a prompt', () => {
    expect(inChat({ reasoning_effort: 'none' })).toEqual({ thinking: false })
  })

  test('variables by name, in any dialect', () => {
    const kwargs = { chat_template_kwargs: { enable_thinking: false, date_string: '26 Nov 2026' } }
    for (const switches of [inChat(kwargs), inMessages(kwargs), inResponses(kwargs)]) {
      expect(switches).toEqual({ variables: kwargs.chat_template_kwargs })
    }
  })

  test.each<[unknown, string]>([
    [{ messages: [] }, '/chat_template_kwargs/messages'],
    [{ strftime_now: 'x' }, '/chat_template_kwargs/strftime_now'],
    ['x', '/chat_template_kwargs'],
    [{ a: 'x'.repeat(16_384) }, '/chat_template_kwargs'],
  ])('what no client may set is refused with its place: %#', (value, param) => {
    const error = errorOf(() => inChat({ chat_template_kwargs: value }))
    expect(error).toMatchObject({ code: 'invalid_request', param })
  })
})
