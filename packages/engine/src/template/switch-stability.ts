import type { ChatMessage, GenerationRequest } from '@incipit/core'
import { sharedLength } from '../cache/shared-length.ts'
import type { TemplateWarning } from '../engine.ts'
import { generationOf, probeMessages, probeTools } from './probe-conversations.ts'
import type { PromptTokenizer } from './prompt-tokenizer.ts'

const { system, asked } = probeMessages
const tools = probeTools

/** What conversations look like: with and without instructions, with and without tools. */
const shapes: readonly GenerationRequest[] = [
  generationOf({ messages: [system, ...asked], tools }),
  generationOf({ messages: [system, ...asked] }),
  generationOf({ messages: asked, tools }),
  generationOf({ messages: asked }),
]

type Change = Partial<Pick<GenerationRequest, 'switches' | 'toolChoice'>>

/** What a client may set from one request to the next. */
const changes: readonly {
  readonly kind: TemplateWarning['kind']
  /** A template without this word cannot know it. */
  readonly word: string
  readonly what: string
  readonly values: readonly Change[]
}[] = [
  {
    kind: 'effort',
    word: 'reasoning_effort',
    what: 'prints the reasoning effort',
    values: [{}, ...['low', 'high'].map(effortOf)],
  },
  {
    kind: 'thinking',
    word: 'thinking',
    what: 'writes the switch for thinking',
    values: [{}, ...[true, false].map(thinkingOf)],
  },
  {
    kind: 'tool-choice',
    word: 'tool_choice',
    what: 'writes the choice of tools',
    values: (['auto', 'none', 'required', { name: 'find' }] as const).map((toolChoice) => ({ toolChoice })),
  },
]

/**
 * What a client may switch that changes a prompt in front of its last question.
 * @example switchWarnings(tokenizer)[0]?.kind // 'effort'
 */
export function switchWarnings(tokenizer: PromptTokenizer): TemplateWarning[] {
  return changes.flatMap(({ kind, word, what, values }): TemplateWarning[] => {
    const atToken = tokenizer.source.includes(word) ? firstChange(tokenizer, values) : undefined
    if (atToken === undefined) return []
    const text = `the template ${what} at token ${atToken}, in front of messages: when it changes, a conversation is evaluated again from there`
    return [{ kind, atToken, text }]
  })
}

/**
 * The first token that differs between requests that differ in nothing but this; `undefined` = none in front of the
 * last question.
 *
 * @example firstChange(tokenizer, [{ switches: { effort: 'low' } }, { switches: { effort: 'high' } }]) // 8
 */
export function firstChange(tokenizer: PromptTokenizer, values: readonly Change[]): number | undefined {
  const places = shapes.flatMap((shape) => {
    const [one, ...others] = values.map((value) => tokenizer.tokens({ ...shape, ...value }))
    if (one === undefined) return []
    const end = sharedLength(one, tokenizer.tokens({ ...shape, ...values[0], messages: otherQuestion(shape.messages) }))
    return others.map((other) => sharedLength(one, other)).filter((shared) => shared < end)
  })
  return places.length === 0 ? undefined : Math.min(...places)
}

function otherQuestion(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  return [...messages.slice(0, -1), { role: 'user', content: 'Is it raining?' }]
}

function effortOf(effort: string): Change {
  return { switches: { effort } }
}

function thinkingOf(thinking: boolean): Change {
  return { switches: { thinking } }
}
