import { expect, test } from 'vitest'
import { createAnthropicMessages } from '../dialects/anthropic-messages/index.ts'
import { createOpenaiChat } from '../dialects/openai-chat/index.ts'
import { bodyOf } from '../dialects/shared/scanned.ts'
import type { Dialect } from '../domain/dialect.ts'
import { splice } from '../json/splice.ts'
import { billingBlockEdit, withoutBillingBlock } from './billing-block.ts'

const messages = createAnthropicMessages()
const line = 'x-anthropic-billing-header: cc_version=2.1.36; cch=a1b2c;'
const withSystem = (system: string): string =>
  `{"model":"m","system":${system},"messages":[{"role":"user","content":"Hi"}]}`
const parse = (dialect: Dialect, body: string): ReturnType<Dialect['parse']> =>
  dialect.parse(new TextEncoder().encode(body), {})

function stripped(system: string): string {
  const prompt = parse(messages, withSystem(system))
  return new TextDecoder().decode(splice(prompt.body, billingBlockEdit(prompt, bodyOf(prompt))))
}

test.each([
  [`[{"type":"text","text":"${line}"},{"type":"text","text":"s"}]`, '[{"type":"text","text":"s"}]'],
  [`[ {"text":"${line}","type":"text"} ,\n {"type":"text","text":"s"}]`, '[ {"type":"text","text":"s"}]'],
  [`[ {"type":"text","text":"${line}"} ]`, '[  ]'],
  [`[{"type":"text","text":"${line}\\nrest"}]`, '[{"type":"text","text":"rest"}]'],
  [`"${line}\\nrest"`, '"rest"'],
  [`"${line}"`, '""'],
  // A line feed is told from a backslash with an n behind it.
  [`"${line}\\\\n\\nrest"`, '"rest"'],
  [`"${line} \\u0041\\"\\nrest\\n"`, '"rest\\n"'],
])('D-24 the line goes, and what belongs to it: %s', (system, expected) => {
  expect(stripped(system)).toBe(withSystem(expected))
})

test.each([
  '[]',
  '"s"',
  `"\\n${line}"`,
  '[{"type":"text","text":"s"},{"type":"text","text":"x-anthropic-billing-header: a;"}]',
  '"x-anthropic-billing"',
  '[{"type":"text"}]',
])('D-24 a system without the line at its beginning stays: %s', (system) => {
  expect(stripped(system)).toBe(withSystem(system))
})

test('D-24 only Messages bodies have the line', () => {
  const prompt = parse(createOpenaiChat(), `{"model":"m","messages":[{"role":"system","content":"${line}"}]}`)
  expect(billingBlockEdit(prompt, bodyOf(prompt))).toEqual([])
})

test('D-24 a conversation loses it as a line, as a block, or with the turn', () => {
  const turnsOf = (system: string): unknown =>
    withoutBillingBlock(messages.read(parse(messages, withSystem(system)))).turns.map(({ blocks }) =>
      blocks.map((block) => (block.kind === 'text' ? block.text : block.kind)),
    )
  expect(turnsOf(`"${line}\\nrest"`)).toEqual([['rest'], ['Hi']])
  expect(turnsOf(`[{"type":"text","text":"${line}"},{"type":"text","text":"s"}]`)).toEqual([['s'], ['Hi']])
  expect(turnsOf(`"${line}"`)).toEqual([['Hi']])
  expect(turnsOf('"s"')).toEqual([['s'], ['Hi']])
})
