import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modelFile } from '../gguf/demo-model.ts'
import type { Model } from '../native/contract.ts'
import { promptTokens } from '../template/prompt-tokenizer.ts'
import { templateTraitsOf } from '../template/prompt-tokenizer.ts'
import { addedTokens, modelOf, testTemplate, testTemplates } from '../testing/chat-templates.ts'
import { aGeneration } from '../testing/generation-fixture.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { marksBehind, spelledMarks, templateMarks } from './template-marks.ts'

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

const question = aGeneration([{ role: 'user', content: 'Q <think>' }])

/** How each family begins calls, and how answers of it think. */
const expected: Readonly<Record<string, readonly [trigger: string, thinks: string]>> = {
  chatml: ['<tool_call>', 'no'],
  'llama-3': ['{"name"', 'no'],
  'qwen-2.5': ['<tool_call>', 'no'],
  'qwen-3': ['<tool_call>', 'may'],
  // These are told of tools as our own models are.
  'gemma-2': ['<tool_call>', 'no'],
  'gemma-3': ['<tool_call>', 'no'],
  'mistral-v3': ['[TOOL_CALLS]', 'no'],
  'mistral-v7': ['[TOOL_CALLS]', 'no'],
  harmony: ['<tool_call>', 'no'],
  deepseek: ['<tool_call>', 'begun'],
}

describe('what a template says of its answers', () => {
  test.each(testTemplates)('$name', (template) => {
    const model = modelOf(demo, template)
    const marks = templateMarks(template.source, templateTraitsOf(model)?.toolDefinitions)
    const { calls, thinking } = marksBehind(marks, model, promptTokens(model, question))
    const thinks = thinking === undefined ? 'no' : thinking.begun ? 'begun' : 'may'
    expect([calls.trigger, thinks]).toEqual(expected[template.name])
  })

  test('a prompt that has closed the thinking does not begin in it', () => {
    const model = modelOf(demo, testTemplate('qwen-3'))
    const prompt = promptTokens(model, { ...question, switches: { thinking: false } })
    expect(marksBehind(templateMarks(model.facts.chatTemplate), model, prompt).thinking?.begun).toBe(false)
  })

  test('a mark that is a control token has its text in answers', () => {
    const template = testTemplate('mistral-v3')
    const model = modelOf(demo, template)
    const token = addedTokens + template.control.indexOf('[TOOL_CALLS]')
    const { calls, thinking } = templateMarks(template.source)
    expect([...spelledMarks({ calls, thinking }, model)]).toEqual([[token, Buffer.from('[TOOL_CALLS]')]])
    expect(spelledMarks({ calls: undefined, thinking: undefined }, model).size).toBe(0)
  })
})
