import { randomBytes } from 'node:crypto'
import type OpenAI from 'openai'

const words =
  'river stone lantern measure quiet harbour copper signal meadow ladder winter orbit velvet hammer garden silver thread window marble engine'.split(
    ' ',
  )

/**
 * Text nobody has sent before, about `count` words long: it begins with a random number, so that
 * nothing of it is in a cache.
 * @example uniqueText(400)
 */
export function uniqueText(count: number): string {
  const numbers = randomBytes(count)
  return [randomBytes(12).toString('hex'), ...Array.from(numbers, (value) => words[value % words.length])].join(' ')
}

/** A short conversation with a long, unique opening. */
export function aConversation(count = 300): OpenAI.ChatCompletionMessageParam[] {
  return [
    { role: 'system', content: uniqueText(count) },
    { role: 'user', content: 'Tell me more about it.' },
  ]
}

/** A row of the ledger, with the fields tests look at. */
export interface EventView {
  readonly id: string
  readonly org: string
  readonly model: string
  readonly session: string
  readonly replica: string
  readonly wire_hash: string
  readonly input_tokens: number | null
  readonly cached_input_tokens: number | null
  readonly evaluated_tokens: number | null
  readonly status: number
  readonly error_code: string | null
}

/**
 * The ledger's row of a request.
 * @throws Error when there is none: the row must be there before the answer ends
 */
export async function eventOf(
  url: string,
  id: string | null,
  headers: Record<string, string> = {},
): Promise<EventView> {
  const answer = await fetch(`${url}/v1/events/${id}`, { headers })
  if (!answer.ok) throw new Error(`no event ${id}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as EventView // the API's documented shape
}
