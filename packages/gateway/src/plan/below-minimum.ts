import type { EpochMs, Prompt, Warning } from '@incipit/core'
import type { UpstreamTarget } from '../route/route.ts'
import { cacheRuleOf } from './cache-rules-of.ts'

/** A token has four bytes as a rule; text of which it has two is rare. */
const usualBytes = 4
const fewestBytes = 2
/**
 * Instructions that a provider renders before the tools of a request, in tokens: some hundreds.
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
 */
const toolPreambleTokens = 500

/**
 * Says so where all that a client marks is clearly shorter than what the model caches: the upstream would keep
 * nothing and report no error (D-22). In doubt, and wherever bytes say little of tokens, nothing is said.
 *
 * @example belowMinimum(prompt, target, house.clock.now()) // [{ code: 'below_minimum', ... }]
 */
export function belowMinimum(prompt: Prompt, target: UpstreamTarget, now: EpochMs): Warning[] {
  const last = prompt.breakpoints.at(-1)
  if (last === undefined) return []
  const minTokens = cacheRuleOf(target, now)?.minTokens
  if (minTokens === undefined) return []
  const bytes = prefixBytes(prompt, last)
  if (bytes === undefined) return []
  const preamble = prompt.segments.some(({ kind }) => kind === 'tools') ? toolPreambleTokens * fewestBytes : 0
  if (bytes + preamble >= minTokens * fewestBytes) return []
  const detail = `${Math.ceil(bytes / usualBytes)} < ${minTokens} tokens (estimated)`
  return [{ code: 'below_minimum', where: last.pointer, detail }]
}

/** From the first tool to the end of the marked block; `undefined` where that holds an attachment. */
function prefixBytes({ segments, profile }: Prompt, mark: Prompt['breakpoints'][number]): number | undefined {
  // A schema for the answer may be rendered before everything else.
  let bytes = Object.values(profile).reduce((sum, json) => sum + json.length, 0)
  for (const { pointer, span, attachments } of segments) {
    if (attachments.length > 0) return undefined
    const holdsMark = mark.pointer === pointer || mark.pointer.startsWith(`${pointer}/`)
    bytes += (holdsMark ? (mark.end ?? span.end) : span.end) - span.start
    if (holdsMark) return bytes
  }
  return undefined
}
