import { pageCells } from '../cache/cell-arena.ts'
import type { KvCache } from '../cache/kv-cache.ts'
import type { Lease } from '../cache/lease.ts'
import { pagesFor } from '../cache/page-table.ts'
import type { Generation } from './generation.ts'
import type { Roster } from './roster.ts'

/** How many times the room of a short one a long one must have left, where there is room for both. */
const muchLonger = 4
/** Tokens that a prompt evaluates before it lends room that it needs itself; twice as many each time after that. */
const firstStretch = 2_048

/**
 * Takes room for a generation that starts. A prompt under way has room for all of itself from its start on, and has
 * used only a part. A shorter one gets its place right behind that part, not behind all of it: everyone pays for
 * every cell below the highest used one. Where there is not room for both, the long one waits until the short one
 * has ended, and loses nothing of what it has evaluated.
 * @param others those under way that are not in the batch yet: what is in it keeps its place
 * @returns `undefined` when there is no room now
 */
export function takeRoom(generation: Generation, others: Iterable<Generation>, roster: Roster): Lease | undefined {
  const { cache } = roster
  if (cache.wholeStates) return acquire(generation, cache)
  const needed = pagesFor(generation.reserveTokens)
  const free = (cache.maxTokens - cache.heldTokens) / pageCells
  const longer = [...others].filter((other) => unusedPages(other) > 0)
  if (free >= needed) {
    const muchLongerOnes = longer.filter((other) => unusedPages(other) >= muchLonger * needed)
    return acquireBehind(generation, muchLongerOnes, roster)
  }
  const lease = acquire(generation, cache)
  if (lease !== undefined) return lease
  const lender = longer.find(
    (other) =>
      free + unusedPages(other) >= needed && lends(other) && roster.share.first([generation, other]) === generation,
  )
  if (lender === undefined) return undefined
  const lent = acquireBehind(generation, [lender], roster)
  if (lent !== undefined) lender.timesLent++
  return lent
}

/**
 * A prompt whose room was given to another one takes it again, all of it or nothing: so none waits for the rest of
 * another's.
 * @returns whether it has its room
 */
export function takeRoomBack(generation: Generation, roster: Roster): boolean {
  const { lease, reserveTokens, evaluated } = generation
  if (lease === undefined) return false
  if (lease.pages.length >= pagesFor(reserveTokens)) return true
  if (generation.refusedAt === roster.freed) return false
  if (!roster.cache.extend(lease, reserveTokens)) {
    generation.refusedAt = roster.freed
    return false
  }
  generation.heldFrom = evaluated
  generation.overtaken = 0
  generation.refusedAt = undefined
  return true
}

/** Takes room as if others had none but what they have used. */
function acquireBehind(generation: Generation, others: readonly Generation[], roster: Roster): Lease | undefined {
  for (const other of others) roster.trim(other)
  const lease = acquire(generation, roster.cache)
  for (const other of others) takeRoomBack(other, roster)
  return lease
}

function acquire({ prefill: tokens, reserveTokens, request, reported }: Generation, cache: KvCache): Lease | undefined {
  const { scope, prefixCache, id } = request
  return cache.acquire({ scope, tokens, reserveTokens, prefixCache, resumes: reported ? id : undefined })
}

function unusedPages({ prefilling, lease, evaluated }: Generation): number {
  return prefilling && lease !== undefined ? lease.pages.length - pagesFor(evaluated) : 0
}

/** Whether it got on far enough since it began, or took its room back: everyone who lends gets done at last. */
function lends({ evaluated, heldFrom, timesLent }: Generation): boolean {
  return evaluated - heldFrom >= firstStretch * 2 ** timesLent
}
