/**
 * Requests being served at the same time, by name. Of this gateway alone: a slot lives no longer than the process
 * that took it.
 *
 * @example const slots = new ParallelSlots(); if (slots.enter('org:acme', 8)) slots.leave('org:acme')
 */
export class ParallelSlots {
  readonly #busy = new Map<string, number>()

  /** Takes a slot where one is free. */
  enter(name: string, limit: number): boolean {
    const busy = this.busy(name)
    if (busy >= limit) return false
    this.#busy.set(name, busy + 1)
    return true
  }

  leave(name: string): void {
    const busy = this.busy(name)
    if (busy <= 1) this.#busy.delete(name)
    else this.#busy.set(name, busy - 1)
  }

  busy(name: string): number {
    return this.#busy.get(name) ?? 0
  }
}
