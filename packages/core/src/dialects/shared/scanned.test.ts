import { expect, test } from 'vitest'
import { createOpenaiChat } from '../openai-chat/index.ts'
import { bodyOf } from './scanned.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const prompt = createOpenaiChat().parse(encode('{"model":"m","messages":[{"role":"user","content":"hi"}]}'), {})

test('what was parsed is not scanned again', () => {
  expect(bodyOf(prompt).document).toBe(bodyOf(prompt).document)
  expect(bodyOf(prompt).document.bytes).toBe(prompt.body)
})

test('a copy of a prompt with another body is read from that body', () => {
  const copy = { ...prompt, body: encode('{"model":"other"}') }
  expect(bodyOf(copy).get('model').string()).toBe('other')
  expect(
    bodyOf({ ...prompt })
      .get('model')
      .string(),
  ).toBe('m')
})
