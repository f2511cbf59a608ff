import type { Conversation } from './conversation.ts'
import { isOver, newConversation } from './conversation.ts'
import type { Kind } from './requests.ts'
import { drawRequest, kinds } from './requests.ts'
import { SeededDraw } from './seeded-draw.ts'
import { send } from './send.ts'
import type { Tally } from './tally.ts'

/** What one worker does: so many requests, one after the other, all drawn from its seed. */
export interface WorkerTask {
  readonly url: string
  readonly seed: number
  readonly requests: number
  readonly tally: Tally
}

const models = ['demo', 'demo', 'small']
const conversationsAtOnce = 4

/** System prompts that all workers have in common, short and long. */
export const systems: readonly string[] = [20, 60, 150, 400, 900, 1_600].map((words, index) =>
  new SeededDraw(index + 1).words(words),
)

/** Talks in several conversations at once, each of which goes on from what was answered. */
export async function work({ url, seed, requests, tally }: WorkerTask, after: () => Promise<void>): Promise<void> {
  const draw = new SeededDraw(seed)
  const conversations = Array.from({ length: conversationsAtOnce }, () => newConversation(draw, systems, models))
  for (let done = 0; done < requests; done++) {
    const place = draw.whole(0, conversationsAtOnce - 1)
    const kind = draw.weighted(kinds)
    let conversation = conversations[place]
    if (conversation === undefined || isOver(conversation)) {
      conversation = newConversation(draw, systems, models)
      conversations[place] = conversation
    }
    const asked = {
      ...conversation,
      turns: [...conversation.turns, { role: 'user' as const, text: question(draw, kind) }],
    }
    const request = drawRequest(draw, kind, asked)
    const outcome = await send(url, request)
    tally.add(request, conversation.model, outcome)
    if (outcome.kind === 'answered' && goesOn(kind)) goOn(conversation, asked, outcome.text)
    await after()
  }
}

function question(draw: SeededDraw, kind: Kind): string {
  switch (kind) {
    case 'too long':
      // More than any context here has.
      return draw.words(20_000)
    case 'long':
      return draw.words(draw.whole(1_500, 2_500))
    default:
      return draw.words(draw.whole(5, 60))
  }
}

/** An answer of calls or without a text ends nothing and begins nothing. */
function goesOn(kind: Kind): boolean {
  return kind === 'talk' || kind === 'long' || kind === 'uncached'
}

function goOn(conversation: Conversation, asked: Conversation, text: string): void {
  conversation.turns.splice(0, Infinity, ...asked.turns, { role: 'assistant', text: text === '' ? 'Yes.' : text })
}
