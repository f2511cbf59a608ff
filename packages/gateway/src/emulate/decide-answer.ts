import { bytesPerToken, countTokens } from './count-tokens.ts'
import { idOf } from './digest.ts'
import { synthesiseJson } from './synthesise-json.ts'
import { synthesiseBytes, synthesiseText } from './synthesise-text.ts'

/** What an answer depends on, in no dialect. */
export interface AnswerQuestion {
  /** A hash of the prompt: equal prompts get equal answers. */
  readonly seed: string
  readonly tools: readonly { readonly name: string; readonly schema: unknown }[]
  readonly toolChoice: 'auto' | 'none' | 'any' | { readonly name: string }
  /** The conversation ends with the result of a tool. */
  readonly afterToolResult: boolean
  /** The JSON schema that the answer has to follow. */
  readonly schema?: unknown
  readonly maxTokens: number | undefined
  readonly stop: readonly string[]
  readonly answerBytes: number | undefined
}

export type Answer =
  | {
      readonly kind: 'tool'
      readonly seedId: string
      readonly name: string
      readonly json: string
      readonly tokens: number
    }
  | {
      readonly kind: 'text'
      readonly text: string
      readonly finish: 'stop' | 'length'
      /** The stop sequence that ended it. */
      readonly stoppedBy: string | undefined
      readonly tokens: number
    }

/**
 * What an emulated model says: the first tool while there is no result yet, JSON where a schema asks for it,
 * text otherwise. A forced tool is called every time, as the real ones do.
 */
export function decideAnswer(question: AnswerQuestion): Answer {
  const tool = toolOf(question)
  if (tool === undefined) return textAnswer(question)
  const json = JSON.stringify(synthesiseJson(tool.schema))
  return {
    kind: 'tool',
    // From the seed alone: a repeated conversation gets the same id, and so the same prompt afterwards.
    seedId: idOf('', question.seed, tool.name),
    name: tool.name,
    json,
    tokens: countTokens(tool.name) + countTokens(json),
  }
}

function toolOf({ tools, toolChoice, afterToolResult }: AnswerQuestion): AnswerQuestion['tools'][number] | undefined {
  if (toolChoice === 'none') return undefined
  if (typeof toolChoice === 'object') return tools.find(({ name }) => name === toolChoice.name)
  return toolChoice === 'auto' && afterToolResult ? undefined : tools[0]
}

function textAnswer(question: AnswerQuestion): Answer {
  const { answerBytes, maxTokens = Infinity } = question
  const whole = wholeText(question)
  const stoppedBy = question.stop.find((sequence) => sequence !== '' && whole.includes(sequence))
  const upToStop = stoppedBy === undefined ? whole : whole.slice(0, whole.indexOf(stoppedBy))
  const cut = answerBytes === undefined && countTokens(upToStop) > maxTokens
  // What is synthesised is ASCII unless a schema's enum is not: then a cut may fall inside a character.
  const text = cut
    ? Buffer.from(upToStop)
        .subarray(0, maxTokens * bytesPerToken)
        .toString('utf8')
        .replace(/\uFFFD$/, '')
    : upToStop
  return {
    kind: 'text',
    text,
    finish: cut ? 'length' : 'stop',
    stoppedBy: cut ? undefined : stoppedBy,
    tokens: Math.min(Math.max(1, countTokens(text)), maxTokens),
  }
}

function wholeText({ seed, schema, answerBytes }: AnswerQuestion): string {
  if (answerBytes !== undefined) return synthesiseBytes(seed, answerBytes)
  return schema === undefined ? synthesiseText(seed) : JSON.stringify(synthesiseJson(schema))
}
