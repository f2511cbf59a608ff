import { rmSync } from 'node:fs'
import type { ChatMessage, GenerationRequest, ToolDefinition } from '@incipit/core'
import { IncipitError } from '@incipit/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { addedTokens, modelOf, testTemplates, textOf } from '../testing/chat-templates.ts'
import { aGeneration, aTool } from '../testing/generation-fixture.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { promptPosition, promptTokens, renderChat } from './prompt-tokenizer.ts'

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

const system = (content: string): ChatMessage => ({ role: 'system', content })
const user = (content: string): ChatMessage => ({ role: 'user', content })
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content })
const calls = (...ids: readonly string[]): ChatMessage => ({
  role: 'assistant',
  content: '',
  reasoning: 'The forecast knows.',
  toolCalls: ids.map((id, index) => ({ id, name: 'forecast', arguments: `{"city":"Rome","days":${index + 1}}` })),
})
const result = (toolCallId: string, content: string): ChatMessage => ({ role: 'tool', content, toolCallId })
const tools: ToolDefinition[] = [aTool('forecast', 'Tells the weather'), aTool('history', 'Tells what was')]

/** Instructions, history, two calls at once with their results, an answer and a question. */
const conversation: GenerationRequest = aGeneration(
  [
    system('Be brief.'),
    user('Hello 👩‍👩‍👧'),
    assistant('Hi.'),
    user('Rome?'),
    calls('call_1111111111111111', 'call_2222222222222222'),
    result('call_2222222222222222', 'rain'),
    result('call_1111111111111111', '{"sky": "clear"}'),
    assistant('Clear, then rain.'),
    user('And Paris?'),
  ],
  tools,
)

/** What clients send and templates do not expect. */
const oddities: readonly [name: string, generation: GenerationRequest][] = [
  ['several instructions', aGeneration([system('One.'), system('Two.'), user('Q')])],
  ['instructions behind turns', aGeneration([system('One.'), user('a'), assistant('b'), system('Two.'), user('Q')])],
  ['a developer', aGeneration([{ role: 'developer', content: 'One.' }, user('Q')])],
  ['two questions', aGeneration([user('a'), user('Q')])],
  ['two answers', aGeneration([user('a'), assistant('b'), assistant('c'), user('Q')])],
  ['a question behind a result', aGeneration([user('a'), calls('call_9'), result('call_9', 'r'), user('Q')], tools)],
  ['calls without ids', aGeneration([user('Q'), calls('', ''), result('', 'r'), result('', 's')], tools)],
  [
    'arguments that are no JSON',
    aGeneration(
      [
        user('Q'),
        { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'f', arguments: '{x' }] },
        result('1', 'r'),
      ],
      tools,
    ),
  ],
  ['nothing said', aGeneration([system(''), user(''), assistant(''), user('Q')])],
]

describe.each(testTemplates)('the template of $name', (template) => {
  test('writes a whole conversation as its family does', async () => {
    const model = modelOf(demo, template)
    const text = renderChat(model, conversation)
    await expect(text).toMatchFileSnapshot(`transcripts/${template.name}.txt`)
    expect(textOf(model, promptTokens(model, conversation)).replace(template.control[0] ?? '', '')).toBe(
      text.replace(template.control[0] ?? '', ''),
    )
  })

  test('takes what clients send, whatever it refuses by itself', async () => {
    const model = modelOf(demo, template)
    const texts = oddities.map(([name, generation]) => {
      const text = renderChat(model, generation)
      for (const { content } of generation.messages) expect(text).toContain(content)
      return `--- ${name}\n${text}\n`
    })
    await expect(texts.join('')).toMatchFileSnapshot(`transcripts/${template.name}-oddities.txt`)
  })

  test('P-1 has places for marks: in order, inside the prompt, the last question at its end', () => {
    const model = modelOf(demo, template)
    const tokens = promptTokens(model, conversation)
    const places = conversation.messages.map((_, message) =>
      promptPosition(model, { generation: conversation, tokens }, { kind: 'message', message }),
    )
    expect(places).toEqual(places.toSorted((left, right) => left - right))
    expect(places[0]).toBeGreaterThan(0)
    // What asks for the answer comes behind it.
    expect(tokens.length - (places.at(-1) ?? 0)).toBeLessThan(30)
  })

  test('has exactly one BOS, or none where the family has none', () => {
    const model = modelOf(demo, template)
    const [bos, ...rest] = promptTokens(model, conversation)
    expect(rest.filter((token) => token === addedTokens)).toEqual([])
    expect(bos === addedTokens).toBe(template.addsBos)
  })

  test('F-3 makes no control token of what a client wrote', () => {
    const model = modelOf(demo, template)
    const spelled = template.control.join('')
    const controls = (generation: GenerationRequest): number[] =>
      [...promptTokens(model, generation)].filter((token) => token >= addedTokens || demo.controlTokens.size > token)
    const evil = (message: ChatMessage): ChatMessage => ({
      ...message,
      content: `${spelled}${message.content}${spelled}`,
      ...(message.toolCalls === undefined
        ? {}
        : {
            toolCalls: message.toolCalls.map((call) => ({
              ...call,
              arguments: JSON.stringify({ [spelled]: spelled }),
            })),
          }),
    })
    const attack = {
      ...conversation,
      messages: conversation.messages.map(evil),
      tools: tools.map((tool) => ({ ...tool, description: spelled })),
      switches: { effort: spelled, variables: { date_string: spelled } },
    }
    expect(controls(attack)).toEqual(controls(conversation))
    expect(renderChat(model, attack)).toContain(spelled)
  })
})

test('what no template could make sense of stays the mistake of the caller, in the words of the template', () => {
  const [template] = testTemplates.filter(({ name }) => name === 'gemma-2')
  if (template === undefined) throw new Error('no Gemma')
  const refused = (): string => renderChat(modelOf(demo, template), aGeneration([assistant('I begin.'), user('Q')]))
  expect(refused).toThrow(IncipitError)
  expect(refused).toThrow(/roles must alternate/)
})
