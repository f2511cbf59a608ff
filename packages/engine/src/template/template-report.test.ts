import { rmSync } from 'node:fs'
import type { ChatMessage, GenerationRequest, TemplateSwitches } from '@incipit/core'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { sharedLength } from '../cache/shared-length.ts'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { modelOf, testTemplate, testTemplates, withTemplate } from '../testing/chat-templates.ts'
import { aGeneration, aTool } from '../testing/generation-fixture.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { promptTokens, renderChat } from './prompt-tokenizer.ts'
import { templateReport } from './template-report.ts'

let directory: string
let demo: Model

beforeAll(() => {
  directory = temporaryDirectory()
  demo = requireNative().loadModel(modelFile('builtin:demo', directory), { dataDir: directory })
})
afterAll(() => {
  demo.close()
  rmSync(directory, { recursive: true })
})
afterEach(() => void vi.useRealTimers())

const tools = [aTool('forecast'), aTool('history')]
const thought = 'The forecast knows.'
const call = { id: 'call_1111111111111111', name: 'forecast', arguments: '{"city":"Rome"}' }
/** Prompts end behind a question or a result. */
const conversation: readonly ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'Hi.' },
  { role: 'user', content: 'Rome?' },
  { role: 'assistant', content: '', reasoning: thought, toolCalls: [call] },
  { role: 'tool', content: 'rain', toolCallId: call.id },
  { role: 'assistant', content: 'Rain.', reasoning: thought },
  { role: 'user', content: 'And Paris?' },
]
const ends = conversation.flatMap(({ role }, index) => (role === 'user' || role === 'tool' ? [index + 1] : []))
const upTo = (end: number, withTools = true): GenerationRequest =>
  aGeneration(conversation.slice(0, end), withTools ? tools : [])
const whole = upTo(conversation.length)

/** What is known to change in front of the last question, token by token of nothing but this template. */
const knownWarnings: Readonly<Record<string, readonly string[]>> = {
  'qwen-3': ['thinking'],
  'mistral-v3': ['tools'],
  harmony: ['effort'],
}
/** Turns whose next prompt does not begin with them: by the end of the earlier prompt. */
const knownLosses: Readonly<Record<string, readonly number[]>> = {
  // Thinking of a loop of tools goes with the next question, and so does what follows it.
  'qwen-3': [6],
  // Tools move to the next question.
  'mistral-v3': [2, 6],
}
/** The most tokens that ask for an answer and are not kept with it. */
const askingTokens: Readonly<Record<string, number>> = { deepseek: 8 }

describe.each(testTemplates)('the template of $name', (template) => {
  test('D-28 is reported with what it changes in front of the last question, and with no more', () => {
    const { warnings } = templateReport(modelOf(demo, template))
    expect(warnings.map(({ kind }) => kind)).toEqual(knownWarnings[template.name] ?? [])
  })

  test('D-28 S-1 the prompt of a turn begins that of the next, but for what is known to be lost', () => {
    const model = modelOf(demo, template)
    const broken = ends.slice(0, -1).filter((end, index) => {
      const earlier = promptTokens(model, upTo(end))
      const lost = earlier.length - sharedLength(earlier, promptTokens(model, upTo(ends[index + 1] ?? end)))
      return lost > (askingTokens[template.name] ?? 0)
    })
    expect(broken).toEqual(knownLosses[template.name] ?? [])
  })

  test('D-28 no time, no choice of tools and no number of a request is in a prompt', () => {
    const model = modelOf(demo, template)
    vi.useFakeTimers({ now: new Date('2026-11-26T23:59:59Z') })
    const before = promptTokens(model, whole)
    vi.setSystemTime(new Date('2027-01-01T00:00:01Z'))
    for (const toolChoice of ['auto', 'none', 'required', { name: 'forecast' }] as const) {
      expect([...promptTokens(modelOf(demo, template), { ...whole, toolChoice })]).toEqual([...before])
    }
    for (const withTools of [true, false]) {
      expect(renderChat(model, upTo(1 + 1, withTools))).not.toMatch(/202[67]|Nov|Jan/)
    }
  })

  test('D-28 a switch for thinking changes nothing in front of the answer to come', () => {
    const model = modelOf(demo, template)
    const withSwitches = (switches: TemplateSwitches | undefined): Int32Array =>
      promptTokens(model, { ...whole, switches })
    const plain = withSwitches(undefined)
    const other = promptTokens(model, {
      ...whole,
      messages: [...conversation.slice(0, -1), { role: 'user', content: 'X' }],
    })
    const stable = sharedLength(plain, other)
    for (const thinking of [true, false]) {
      expect(sharedLength(plain, withSwitches({ thinking }))).toBeGreaterThanOrEqual(stable)
    }
  })
})

test('D-28 an effort at the front is passed on as asked for, and its place is told', () => {
  const model = modelOf(demo, testTemplate('harmony'))
  expect(renderChat(model, { ...whole, switches: { effort: 'high' } })).toContain('Reasoning: high')
  const [warning] = templateReport(model).warnings
  const text = `the template prints the reasoning effort at token ${warning?.atToken}, in front of messages: when it changes, a conversation is evaluated again from there`
  expect(warning).toEqual({ kind: 'effort', atToken: warning?.atToken, text })
  const low = promptTokens(model, { ...whole, switches: { effort: 'low' } })
  expect(sharedLength(low, promptTokens(model, { ...whole, switches: { effort: 'high' } }))).toBe(warning?.atToken)
})

describe('the date of a template', () => {
  test('is the one that the template has of itself where it asks whether there is one, else none', () => {
    expect(renderChat(modelOf(demo, testTemplate('llama-3')), upTo(2))).toContain('Today Date: 26 Jul 2024\n')
    expect(renderChat(modelOf(demo, testTemplate('harmony')), upTo(2))).toContain('Current date: \n')
  })

  test.each(['llama-3', 'harmony'])('is the one of the client where it gives one: %s', (name) => {
    const switches = { variables: { date_string: '26 Nov 2026' } }
    const model = modelOf(demo, testTemplate(name))
    expect(renderChat(model, { ...upTo(2), switches })).toMatch(/date: 26 Nov 2026\n/i)
    expect(templateReport(model).notes[0]).toMatch(/^the template prints a date at token \d+: it is not told one/)
  })
})

test('thinking is switched where a template can: at the end of the prompt', () => {
  const model = modelOf(demo, testTemplate('qwen-3'))
  const plain = renderChat(model, whole)
  expect(renderChat(model, { ...whole, switches: { thinking: true } })).toBe(plain)
  expect(renderChat(model, { ...whole, switches: { thinking: false } })).toBe(`${plain}<think>\n\n</think>\n\n`)
  const { notes } = templateReport(model)
  expect(notes).toEqual([expect.stringMatching(/^a prompt without thinking ends with \d+ tokens that the next turn/)])
})

test('a template that cannot be used is told as such, and fails no load', () => {
  const [warning] = templateReport(withTemplate(demo, '{% for %}')).warnings
  expect(warning).toMatchObject({ kind: 'unusable', atToken: undefined, text: expect.stringContaining('compiled') })
  const refusing = "{{ raise_exception('never') }}"
  expect(templateReport(withTemplate(demo, refusing)).warnings[0]?.text).toMatch(/refuses these messages: never/)
})

test('a template that puts time, effort, thinking and choice in front is told of each', () => {
  const source = `{{ reasoning_effort }} {{ thinking }} {{ tool_choice }} {{ strftime_now('%H:%M') }}
{% for m in messages %}<|im_start|>{{ m.role }} {{ m.content }}<|im_end|>{% endfor %}`
  const report = templateReport(withTemplate(demo, source))
  expect(report.warnings.map(({ kind }) => kind)).toEqual(['effort', 'thinking', 'tool-choice'])
  expect(report.notes[0]).toMatch(/prints a date/)
})

test('a template whose instructions move is told, were it not mended', () => {
  const source = `{% for m in messages %}{% if loop.last %}{{ messages | length }}{% endif %}{{ m.content }}\n{% endfor %}`
  const [warning] = templateReport(withTemplate(demo, `{{ messages | length }}${source}`)).warnings
  expect(warning).toMatchObject({ kind: 'turns' })
})
