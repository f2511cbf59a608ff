import type { JsonObject } from '../json.ts'
import { given, objectOf, textOf } from '../json.ts'
import { checkMark } from './check-content.ts'
import type { PromptBlock } from './prompt-blocks.ts'
import type { Ttl } from './rules.ts'
import { cacheRules } from './rules.ts'
import { refuse } from './wording.ts'

/** A position up to which the request asks to store. */
export interface Breakpoint {
  /** Of the block in the prompt. */
  readonly index: number
  readonly ttl: Ttl
}

/**
 * The breakpoints of a checked request, the automatic one included, in prompt order.
 * @throws Refusal for more than four, for marks on what cannot be marked, and for a longer life after a shorter
 */
export function findBreakpoints(body: JsonObject, blocks: readonly PromptBlock[]): readonly Breakpoint[] {
  const explicit = blocks.flatMap(({ mark, markable, path, type }, index): Breakpoint[] => {
    if (mark === undefined) return []
    if (!markable) throw refuse('extra', `${path}.${type}.cache_control`)
    return [{ index, ttl: ttlOf(mark) }]
  })
  const breakpoints = withAutomatic(body, blocks, explicit)
  if (breakpoints.length > cacheRules.maxMarks.value) throw refuse('tooManyMarks', '', breakpoints.length)
  checkOrder(breakpoints, blocks)
  return breakpoints
}

function withAutomatic(
  body: JsonObject,
  blocks: readonly PromptBlock[],
  explicit: readonly Breakpoint[],
): readonly Breakpoint[] {
  if (!given(body['cache_control'])) return explicit
  checkMark(body, '')
  const ttl = ttlOf(objectOf(body['cache_control']))
  const index = blocks.findLastIndex(({ markable }) => markable)
  const already = explicit.find((breakpoint) => breakpoint.index === index)
  if (already !== undefined && already.ttl !== ttl) throw refuse('automaticConflict', 'cache_control')
  return already !== undefined || index < 0 ? explicit : [...explicit, { index, ttl }].sort((a, b) => a.index - b.index)
}

function checkOrder(breakpoints: readonly Breakpoint[], blocks: readonly PromptBlock[]): void {
  const firstShort = breakpoints.findIndex(({ ttl }) => ttl === '5m')
  const late = breakpoints.find(({ ttl }, position) => ttl === '1h' && firstShort >= 0 && position > firstShort)
  if (late !== undefined) throw refuse('lateHour', `${blocks[late.index]?.path ?? ''}.cache_control.ttl`)
}

function ttlOf(mark: JsonObject): Ttl {
  return textOf(mark['ttl']) === '1h' ? '1h' : cacheRules.defaultTtl.value
}
