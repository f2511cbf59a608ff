import type { KvCache } from '../cache/kv-cache.ts'
import type { Lease } from '../cache/lease.ts'
import { FairShare } from './fair-share.ts'
import type { Generation } from './generation.ts'
import { WaitEstimate } from './wait-estimate.ts'
import { WaitingLine } from './waiting-line.ts'

/** Who runs and who waits: every way in and out of either. */
export class Roster {
  readonly cache: KvCache
  readonly line: WaitingLine = new WaitingLine()
  readonly share: FairShare = new FairShare()
  readonly estimate: WaitEstimate = new WaitEstimate()
  readonly #now: () => number
  #running: Generation[] = []
  #freed = 0

  constructor(cache: KvCache, now: () => number) {
    this.cache = cache
    this.#now = now
  }

  /** In order of their start. */
  get running(): readonly Generation[] {
    return this.#running
  }

  /** How often room was given back: who found none need not look again before that. */
  get freed(): number {
    return this.#freed
  }

  /** Milliseconds since each of those that run began. */
  get servedMs(): readonly number[] {
    return this.#running.map(({ startedAt }) => this.#now() - (startedAt ?? this.#now()))
  }

  start(generation: Generation, lease: Lease): void {
    this.line.remove(generation)
    this.#running.push(generation)
    generation.start(lease, this.#now())
  }

  /** Puts a running generation back into the line; what it has evaluated may be reused, or evicted. */
  pause(generation: Generation): void {
    this.#running = this.#running.filter((running) => running !== generation)
    this.line.putBack(generation)
    const { request, tokens, evaluated } = generation
    this.cache.suspend(request.id, generation.pause(), tokens, evaluated)
    this.#freed++
  }

  /** A running generation gives the room back that it has not used yet. */
  trim(generation: Generation): void {
    const { lease, evaluated } = generation
    if (lease === undefined) return
    this.cache.trim(lease, evaluated)
    this.#freed++
  }

  /** Takes one out that waits. */
  leave(generation: Generation): void {
    this.line.remove(generation)
    this.share.leave(generation.turn)
    generation.answer.close()
  }

  /** Takes those out that ran and have ended; what they computed stays for others. */
  sweep(): void {
    const ended = this.#running.filter((generation) => generation.ended)
    if (ended.length === 0) return
    this.#running = this.#running.filter((generation) => !generation.ended)
    for (const { answer, request, lease, tokens, evaluated, turn, turnOver, startedAt } of ended) {
      answer.close()
      this.share.leave(turn)
      const end = { promptTokens: request.prompt.length, turnOver }
      if (lease !== undefined) this.cache.release(lease, tokens, evaluated, end)
      this.estimate.note(this.#now() - (startedAt ?? 0))
    }
    this.#freed++
  }
}
