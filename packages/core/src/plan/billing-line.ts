import type { Span } from '../domain/prompt.ts'

/**
 * Claude Code begins its system prompt with a line whose value is another one in each request. Anthropic's
 * API takes it out; everywhere else no prompt would have an opening in common with an earlier one.
 * https://github.com/anthropics/claude-code/issues/68900, https://code.claude.com/docs/en/llm-gateway-protocol
 */
export const billingLineStart = 'x-anthropic-billing-header:'

/**
 * Where that line stands inside a JSON string (its span includes the quotes), with the escaped line feed that
 * ends it; `undefined` where the string does not begin with it.
 *
 * @example billingLineIn(body, document.span(text))
 */
export function billingLineIn(body: Uint8Array, string: Span): Span | undefined {
  const start = string.start + 1
  for (let i = 0; i < billingLineStart.length; i++) {
    if (body[start + i] !== billingLineStart.charCodeAt(i)) return undefined
  }
  for (let at = start; at < string.end - 1; at++) {
    if (body[at] !== 0x5c) continue
    if (body[at + 1] === 0x6e) return { start, end: at + 2 }
    at++
  }
  return { start, end: string.end - 1 }
}
