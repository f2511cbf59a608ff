import type { ChatMessage, GenerationRequest } from '@incipit/core'
import { sharedLength } from '../cache/shared-length.ts'
import type { TemplateWarning } from '../engine.ts'
import { generationOf, probeMessages, probeTools } from './probe-conversations.ts'
import type { PromptTokenizer } from './prompt-tokenizer.ts'

/** What of a prompt is not the beginning of the next one of its conversation. */
export interface TurnLoss {
  /** Tokens of the earlier prompt behind the first one that differs. */
  readonly tokens: number
  /** How many of them only ask for the answer: a template may ask in other words than it keeps. */
  readonly asking: number
}

/** @example turnLoss(tokenizer, earlier, later).tokens // 0 */
export function turnLoss(tokenizer: PromptTokenizer, earlier: GenerationRequest, later: GenerationRequest): TurnLoss {
  const tokens = tokenizer.tokens(earlier)
  const shared = sharedLength(tokens, tokenizer.tokens(later))
  const kept = sharedLength(tokens, tokenizer.tokens(earlier, false))
  return { tokens: tokens.length - shared, asking: tokens.length - Math.max(shared, kept) }
}

/**
 * What of its prompts a template changes with the next turn.
 * @example turnWarnings(tokenizer)[0]?.kind // 'tools'
 */
export function turnWarnings(tokenizer: PromptTokenizer): TemplateWarning[] {
  const found: TemplateWarning[] = []
  for (const { kind, requests, text } of conversations) {
    // What breaks the plainest conversation breaks all: it is told once.
    if (!loses(tokenizer, requests)) continue
    found.push({ kind, atToken: undefined, text })
    if (kind !== 'thinking') break
  }
  return found
}

/** Whether a turn of a conversation loses more than the words that ask for the answer. */
function loses(tokenizer: PromptTokenizer, requests: readonly GenerationRequest[]): boolean {
  return requests.slice(1).some((later, index) => {
    const { tokens, asking } = turnLoss(tokenizer, requests[index] ?? later, later)
    return tokens > asking
  })
}

const { system, asked } = probeMessages
const [question, answer, next] = asked as [ChatMessage, ChatMessage, ChatMessage]
const thought = 'The register is sorted by date.'

function called(reasoning: string | undefined): ChatMessage[] {
  const call = { id: 'call_0123456789abcdef', name: 'find', arguments: '{"title": "any"}' }
  const turn: ChatMessage = { role: 'assistant', content: '', toolCalls: [call] }
  return [
    reasoning === undefined ? turn : { ...turn, reasoning },
    { role: 'tool', content: 'three books', toolCallId: call.id },
  ]
}

/** The requests of a conversation: one for every message but answers and calls. */
function requestsOf(messages: readonly ChatMessage[], withTools: boolean): readonly GenerationRequest[] {
  const tools = withTools ? probeTools : []
  return messages.flatMap(({ role }, index) =>
    role === 'user' || role === 'tool' ? [generationOf({ messages: messages.slice(0, index + 1), tools })] : [],
  )
}

/** The plainest first. */
const conversations: readonly {
  readonly kind: TemplateWarning['kind']
  readonly requests: readonly GenerationRequest[]
  readonly text: string
}[] = [
  {
    kind: 'turns',
    requests: requestsOf([system, question, answer, next], false),
    text: 'the template changes what is before the last question: a new question evaluates earlier turns again',
  },
  {
    kind: 'tools',
    requests: requestsOf([system, question, answer, next, answer, question], true),
    text: 'the template writes tools in front of the last question: they move with every new one, and all from the question before on is evaluated again',
  },
  {
    kind: 'tools',
    requests: requestsOf([system, question, ...called(undefined), answer, next, ...called(undefined)], true),
    text: 'the template writes calls of earlier turns in another way: a new question evaluates them again',
  },
  {
    kind: 'thinking',
    requests: requestsOf([system, question, ...called(thought), { ...answer, reasoning: thought }, next], true),
    text: 'the template leaves thinking out once the next question comes: what follows the first call behind the question before is evaluated again',
  },
]
