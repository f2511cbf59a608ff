import type { GenerationRequest } from '@incipit/core'
import { greedySampling } from '@incipit/core'
import { randomBytes } from 'node:crypto'

/** A prompt in two parts: a long system message and a short user message. */
export interface SplitPrompt {
  readonly system: string
  readonly user: string
}

type Tokenise = (request: GenerationRequest) => Int32Array

const letters = 'abcdefghijklmnopqrstuvwxyz'

/**
 * A prompt whose first part is about `prefixTokens` long and whose second brings about `newTokens`
 * new ones, measured with the model's own tokeniser. The text is random: nothing of it is cached.
 *
 * @example const prompt = promptOfLength((request) => promptTokens(model, request), 8192, 32)
 */
export function promptOfLength(tokenise: Tokenise, prefixTokens: number, newTokens: number): SplitPrompt {
  return { system: randomText(tokenise, prefixTokens), user: questionOf(tokenise, newTokens) }
}

/** A user message that, with what the template puts around it, brings about `newTokens` new tokens. */
export function questionOf(tokenise: Tokenise, newTokens: number): string {
  const [one, two] = ['a', 'b'].map((user) => tokenise(requestOf({ system: 'x', user })))
  if (one === undefined || two === undefined) throw new Error('two prompts were tokenised')
  const around = one.length - sharedTokens(one, two)
  return randomText(tokenise, Math.max(1, newTokens - around))
}

/** The request an official client sends for a prompt, as the engine sees it. */
export function requestOf({ system, user }: SplitPrompt): GenerationRequest {
  return {
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: user },
    ],
    tools: [],
    toolChoice: 'auto',
    parallelToolCalls: true,
    format: undefined,
    sampling: greedySampling,
    maxTokens: 1,
    stop: [],
    topLogprobs: undefined,
  }
}

/** Where two token lists first differ. */
export function sharedTokens(a: Int32Array, b: Int32Array): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at++
  return at
}

/** Words of random letters, as many as make about `tokens` tokens. */
function randomText(tokenise: Tokenise, tokens: number): string {
  const count = (text: string): number => tokenise(requestOf({ system: text, user: '' })).length
  const empty = count('')
  const words = Array.from({ length: tokens }, randomWord)
  // Every word is at least one token: the first guess is too long, and each cut is in proportion.
  let keep = words.length
  for (let round = 0; round < 8; round++) {
    const seen = count(words.slice(0, keep).join(' ')) - empty
    if (Math.abs(seen - tokens) <= 1) break
    keep = Math.max(1, Math.round((keep * tokens) / seen))
  }
  return words.slice(0, keep).join(' ')
}

function randomWord(): string {
  return [...randomBytes(4)].map((byte) => letters[byte % letters.length]).join('')
}
