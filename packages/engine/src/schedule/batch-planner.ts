import { IncipitError } from '@incipit/core'
import { cellsOverStep, pageCells } from '../cache/cell-arena.ts'
import { leastPiece } from '../cache/checkpoint/turn-ends.ts'
import type { KvCache } from '../cache/kv-cache.ts'
import type { BatchBuilder } from './batch-builder.ts'
import type { Generation } from './generation.ts'
import type { PrefillPace } from './prefill-pace.ts'
import { waitsForPrefix } from './prefix-wait.ts'
import { takeRoom, takeRoomBack } from './room.ts'
import type { Roster } from './roster.ts'

/** An entry of a batch: a generation is evaluated up to `end`. */
export interface Planned {
  readonly generation: Generation
  readonly entry: number
  readonly end: number
}

/** What a batch may hold. */
type Phase = 'both' | 'prompts' | 'answers'

/** How many others may begin while one waits for room. */
const mostOvertaking = 8

/**
 * Chooses what the next batch holds: the next token of everything that generates first, then prompts, those under
 * way and those that wait alike, in fair order, each as far as it fits.
 */
export class BatchPlanner {
  readonly #cache: KvCache
  readonly #builder: BatchBuilder
  readonly #pace: PrefillPace
  readonly #roster: Roster
  readonly #maxConcurrent: number
  #planned: Planned[] = []
  #promptsNext = false

  constructor(options: {
    readonly cache: KvCache
    readonly builder: BatchBuilder
    readonly pace: PrefillPace
    readonly roster: Roster
    readonly maxConcurrent: number
  }) {
    this.#cache = options.cache
    this.#builder = options.builder
    this.#pace = options.pace
    this.#roster = options.roster
    this.#maxConcurrent = options.maxConcurrent
  }

  /** Fills the builder, and starts, pauses or ends generations where that takes it. */
  plan(): readonly Planned[] {
    for (;;) {
      const stalled = this.#planOnce(this.#takePhase())
      const youngest = stalled.at(-1)
      if (this.#planned.length > 0 || youngest === undefined) return this.#planned
      // Everyone waits for everyone: the youngest gives its room up, so that the others can go on. One that is
      // alone has room below its pages, not above: it comes back further down.
      if (youngest.length < this.#cache.maxTokens) this.#roster.pause(youngest)
      else youngest.cutShort()
      this.#roster.sweep()
    }
  }

  /** @returns those that run and have no room to go on */
  #planOnce(phase: Phase): readonly Generation[] {
    this.#builder.clear()
    this.#planned = []
    const { running } = this.#roster
    const answers = running.filter(({ prefilling }) => !prefilling)
    const stalled = phase === 'prompts' ? [] : answers.filter((generation) => !this.#planAnswer(generation))
    if (phase === 'answers') return stalled
    const beside = this.#planned.length > 0 || (phase === 'prompts' && answers.length > 0)
    const room = beside ? Math.min(this.#builder.room, this.#pace.tokens) : this.#builder.room
    const lent = this.#planPrompts(this.#builder.tokens + room)
    if (phase === 'prompts' && answers.length > 0 && this.#planned.length === 0) return this.#planOnce('answers')
    // In order of their start: those that run are.
    return running.filter((generation) => stalled.includes(generation) || lent.includes(generation))
  }

  /** Where prompts and answers do not share batches they take turns. */
  #takePhase(): Phase {
    if (!this.#cache.wholeStates) return 'both'
    const { running, line } = this.#roster
    const prompts = line.length > 0 || running.some(({ prefilling }) => prefilling)
    if (!running.some(({ prefilling }) => !prefilling)) return 'prompts'
    this.#promptsNext = prompts && !this.#promptsNext
    return this.#promptsNext ? 'prompts' : 'answers'
  }

  #planAnswer(generation: Generation): boolean {
    if (!this.#hasRoom(generation)) return false
    this.#add(generation, generation.length)
    return true
  }

  #hasRoom({ lease, length, maxLength }: Generation): boolean {
    if (lease === undefined) return false
    if (length <= lease.pages.length * pageCells) return true
    const wanted = Math.min(maxLength, length + 4 * pageCells)
    return this.#cache.extend(lease, wanted) || this.#cache.extend(lease, length)
  }

  /** @returns those under way whose room is lent out */
  #planPrompts(limit: number): readonly Generation[] {
    const { running, line, share } = this.#roster
    const prefilling = running.filter((generation) => generation.prefilling)
    const lent = prefilling.filter((generation) => !takeRoomBack(generation, this.#roster))
    const takers = new Set([...prefilling.filter((generation) => !lent.includes(generation)), ...line])
    while (this.#builder.tokens < limit) {
      const generation = share.first(takers)
      if (generation === undefined) break
      takers.delete(generation)
      const hasRoom =
        generation.lease === undefined
          ? this.#start(generation, { lent, others: takers })
          : takeRoomBack(generation, this.#roster)
      if (!hasRoom) continue
      const end = this.#promptEnd(generation, limit - this.#builder.tokens)
      this.#add(generation, end)
      // A batch may be left unfilled where attention ends a step: the rest of this prompt has a better claim to it.
      if (end < generation.prefill.length || this.#cache.wholeStates) break
    }
    return lent
  }

  /** Starts a generation that waits, unless somebody else is to come first, evaluates what it needs, or has the room. */
  #start(
    generation: Generation,
    { lent, others }: { readonly lent: readonly Generation[]; readonly others: Iterable<Generation> },
  ): boolean {
    const { running, line } = this.#roster
    if (running.length >= this.#maxConcurrent) return false
    const urgent = this.#mostUrgent(lent)
    if (urgent !== undefined && urgent !== generation) return false
    if (generation.refusedAt === this.#roster.freed) return false
    if (waitsForPrefix(generation, running, this.#cache)) return false
    const lease = takeRoom(generation, others, this.#roster)
    if (lease === undefined) {
      generation.refusedAt = this.#roster.freed
      if (running.length > 0) return false
      const { reserveTokens } = generation
      generation.fail(new IncipitError('engine_failed', `no room for ${reserveTokens} tokens`))
      this.#roster.leave(generation)
      return false
    }
    this.#roster.start(generation, lease)
    for (const other of [...line, ...lent]) if (other.refusedAt !== undefined) other.overtaken++
    return true
  }

  /** Who must have room before anyone else begins: the first that was begun before, or was overtaken too often. */
  #mostUrgent(lent: readonly Generation[]): Generation | undefined {
    let first: Generation | undefined
    for (const generation of [...this.#roster.line, ...lent]) {
      const waits = generation.lease === undefined && generation.begun
      if (!waits && generation.overtaken < mostOvertaking) continue
      if (first === undefined || generation.turn.arrival < first.turn.arrival) first = generation
    }
    return first
  }

  /** How far to evaluate a prompt of which at most `count` tokens fit: part of it, to where attention ends a step. */
  #promptEnd(generation: Generation, count: number): number {
    const { evaluated, lease, prefill } = generation
    const goal = generation.stopFrom(evaluated + leastPiece) ?? prefill.length
    const end = evaluated + count
    if (end >= goal || lease === undefined) return Math.min(end, goal)
    const over = cellsOverStep(this.#cache.runs(lease, end - 1, end)[0]?.end ?? 0)
    const best = over < count ? end - over : end
    if (!this.#cache.wholeStates) return best
    return [best, end, end - 1].find((cut) => cut - evaluated >= leastPiece && goal - cut >= leastPiece) ?? end
  }

  #add(generation: Generation, end: number): void {
    const { lease, tokens, evaluated, turn } = generation
    if (lease === undefined) throw new Error('a generation without a lease cannot be evaluated')
    const wantsLogits = end === generation.length
    const { sequence, pages } = lease
    const entry = this.#builder.add({ sequence, pages, tokens, start: evaluated, end, wantsLogits })
    this.#planned.push({ generation, entry, end })
    this.#roster.share.charge(turn, end - evaluated)
  }
}
