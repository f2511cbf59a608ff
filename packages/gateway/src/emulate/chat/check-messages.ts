import type { JsonObject } from '../json.ts'
import { given, isObject, kindOf } from '../json.ts'
import { Refusal } from '../refusal.ts'

/** More would only cost memory. */
const maxChoices = 128

/** What every engine behind a chat completion refuses. @throws Refusal 400 that names field and kind */
export function checkMessages({ messages, n }: JsonObject): void {
  if (!given(messages)) throw invalid('messages', 'is required')
  if (!Array.isArray(messages)) throw invalid('messages', `must be an array, got ${kindOf(messages)}`)
  if (messages.length === 0) throw invalid('messages', 'must hold at least one message, got 0')
  for (const [index, message] of messages.entries()) checkMessage(message, `messages[${index}]`)
  const choices = given(n) ? Number(n) : 1
  if (!Number.isInteger(choices) || choices < 1 || choices > maxChoices) {
    throw invalid('n', `must be a whole number from 1 to ${maxChoices}, got ${choices}`)
  }
}

function checkMessage(message: unknown, at: string): void {
  if (!isObject(message)) throw invalid(at, `must be an object, got ${kindOf(message)}`)
  const { role, content } = message
  if (typeof role !== 'string') throw invalid(`${at}.role`, `must be a string, got ${kindOf(role)}`)
  if (given(content) && typeof content !== 'string' && !Array.isArray(content)) {
    throw invalid(`${at}.content`, `must be a string or an array, got ${kindOf(content)}`)
  }
}

function invalid(param: string, what: string): Refusal {
  return new Refusal(400, `${param} ${what}`, { param })
}
