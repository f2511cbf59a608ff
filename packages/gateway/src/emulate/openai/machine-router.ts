import { digest } from '../digest.ts'
import { cacheRules } from './rules.ts'

/** Sends requests of one opening and key to one machine, and what comes too fast to further ones. */
export class MachineRouter {
  readonly #rpm: number
  #arrivals = new Map<string, number[]>()

  constructor(rpm: number = cacheRules.overflowRpm.value) {
    this.#rpm = rpm
  }

  /** Counts the request. @returns the name of a machine */
  machineFor(route: string, now: number): string {
    const since = now - cacheRules.overflowWindowMs.value
    const recent = (this.#arrivals.get(route) ?? []).filter((at) => at > since)
    this.#arrivals.set(route, [...recent, now])
    return digest(route, String(Math.floor(recent.length / this.#rpm)))
  }

  clear(): void {
    this.#arrivals = new Map()
  }
}
