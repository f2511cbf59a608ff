import { rmSync } from 'node:fs'
import type { GenerationEvent } from '@incipit/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AnswerPlanner } from '../output/answer-plan.ts'
import { marksBehind, templateMarks } from '../output/template-marks.ts'
import { SamplerWorkspace } from '../sample/sampler-workspace.ts'
import { promptTokens } from '../template/prompt-tokenizer.ts'
import { modelFileOf, testTemplate } from '../testing/chat-templates.ts'
import { aGeneration, aTool } from '../testing/generation-fixture.ts'
import { requireNative, temporaryDirectory } from '../testing/native-fixture.ts'
import { Answer } from './answer.ts'

let directory: string
beforeAll(() => {
  directory = temporaryDirectory()
})
afterAll(() => rmSync(directory, { recursive: true }))

/** What leaves when a model of this family generates this text, control tokens by their spelling. */
function said(family: string, written: string, tools = [aTool('find')]): string[] {
  const template = testTemplate(family)
  const model = requireNative().loadModel(modelFileOf(template, directory), { dataDir: directory })
  try {
    const generation = aGeneration([{ role: 'user', content: 'Q' }], tools)
    const prompt = promptTokens(model, generation)
    const marks = marksBehind(templateMarks(template.source), model, prompt)
    const plan = new AnswerPlanner(marks).plan(generation)
    const request = { ...generation, id: 'r', scope: 's', prompt, plan, prefixCache: 'on' as const }
    const workspace = new SamplerWorkspace(model.facts.vocabularySize)
    const answer = new Answer({ request, model, workspace, maxTokens: 500 })
    const events: GenerationEvent[] = []
    const emit = (event: GenerationEvent): void => void events.push(event)
    for (const token of model.tokenize(written, { special: true })) {
      const logits = new Float32Array(model.facts.vocabularySize)
      logits[token] = 1
      answer.next(logits, emit)
    }
    answer.finish('stop', emit)
    return merged(events)
  } finally {
    model.close()
  }
}

function merged(events: readonly GenerationEvent[]): string[] {
  const all: string[] = []
  let last = ''
  for (const event of events) {
    const text = textOf(event)
    if (text === undefined) continue
    if (event.kind === last) all[all.length - 1] += text
    else all.push(`${event.kind} ${text}`)
    last = event.kind
  }
  return all
}

function textOf(event: GenerationEvent): string | undefined {
  switch (event.kind) {
    case 'text-delta':
    case 'thinking-delta':
      return event.text
    case 'tool-start':
      return event.name
    case 'tool-delta':
      return event.json
    case 'finish':
      return event.reason
    case 'prompt':
      return undefined
    default:
      return event satisfies never
  }
}

test('channels of gpt-oss: thinking, words before a call, the call', () => {
  const thought = '<|channel|>analysis<|message|>Look it up.<|end|>'
  expect(said('harmony', `${thought}<|start|>assistant<|channel|>final<|message|>It is <|end|>`)).toEqual([
    'thinking-delta Look it up.',
    'text-delta It is ',
    'finish stop',
  ])
  const call = '<|channel|>commentary to=functions.find <|constrain|>json<|message|>{"a": 1}'
  expect(said('harmony', `${thought}<|start|>assistant${call}`)).toEqual([
    'thinking-delta Look it up.',
    'tool-start find',
    'tool-delta {"a": 1}',
    'finish tool_calls',
  ])
})

test.each([
  ['mistral-v3', '[TOOL_CALLS][{"name": "find", "arguments": {"z": "x"}}, {"name": "find", "arguments": {"z": "y"}}]'],
  [
    'qwen-3',
    '<tool_call>\n{"name": "find", "arguments": {"z": "x"}}\n</tool_call>\n<tool_call>\n{"name": "find", "arguments": {"z": "y"}}\n</tool_call>',
  ],
  ['llama-3', '{"name": "find", "parameters": {"z": "x"}}; {"name": "find", "parameters": {"z": "y"}}'],
])('calls that a model of %s begins by itself, whether their mark is text or a control token', (family, written) => {
  expect(said(family, written)).toEqual([
    'tool-start find',
    'tool-delta {"z": "x"}',
    'tool-start find',
    'tool-delta {"z": "y"}',
    'finish tool_calls',
  ])
})

test('a call of Llama 3 behind the tag that it may put in front', () => {
  const written = '<|python_tag|>{"name": "find", "parameters": {"z": "x"}}'
  expect(said('llama-3', written)).toEqual(['tool-start find', 'tool-delta {"z": "x"}', 'finish tool_calls'])
})

test('thinking that the prompt has opened, up to its end', () => {
  expect(said('deepseek', 'Hm, yes.\n</think>\n\nYes.')).toEqual([
    'thinking-delta Hm, yes.\n',
    'text-delta Yes.',
    'finish stop',
  ])
})

test('a tag of thinking in a family that has none is text', () => {
  expect(said('gemma-3', '<think>Hm</think>', [])).toEqual(['text-delta <think>Hm</think>', 'finish stop'])
})

test('a control token that is no mark has no text', () => {
  expect(said('mistral-v3', 'a[INST]b', [])).toEqual(['text-delta ab', 'finish stop'])
})
