import type { SeededDraw } from './seeded-draw.ts'

/** Who speaks with the model: the key decides the organisation, the isolation key who shares within it. */
export interface Speaker {
  readonly key: string
  readonly isolation: string | undefined
}

/** A talk that goes on from request to request. */
export interface Conversation {
  readonly model: string
  readonly speaker: Speaker
  readonly system: string
  readonly turns: Turn[]
}

export interface Turn {
  readonly role: 'user' | 'assistant'
  readonly text: string
}

const mostTurns = 12
const mostCharacters = 16_000

/** Whether a conversation has become so long that a new one takes its place. */
export function isOver({ system, turns }: Conversation): boolean {
  const characters = turns.reduce((sum, { text }) => sum + text.length, system.length)
  return turns.length >= mostTurns || characters > mostCharacters
}

/** A new conversation under one of a few system prompts, which many conversations have in common. */
export function newConversation(draw: SeededDraw, systems: readonly string[], models: readonly string[]): Conversation {
  const key = draw.one(['soak-key-one', 'soak-key-two'])
  const isolation = draw.one([undefined, undefined, 'first', 'second'])
  return { model: draw.one(models), speaker: { key, isolation }, system: draw.one(systems), turns: [] }
}
