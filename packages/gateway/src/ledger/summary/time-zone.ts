import { IncipitError } from '@incipit/core'

/** A time zone as the clocks in it show: the offset from UTC at any instant, and when it changes. */
export class TimeZone {
  readonly name: string
  readonly #format: Intl.DateTimeFormat
  readonly #utc: boolean

  /** @throws IncipitError invalid_request, param `tz` */
  constructor(name: string) {
    this.name = name
    try {
      this.#format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
    } catch {
      const shown = JSON.stringify(name.slice(0, 60))
      throw new IncipitError('invalid_request', `there is no time zone ${shown}; names are like Europe/Berlin`, {
        param: 'tz',
      })
    }
    this.#utc = this.#format.resolvedOptions().timeZone === 'UTC'
  }

  /** Milliseconds that clocks are ahead of UTC. */
  offsetAt(at: number): number {
    if (this.#utc) return 0
    const name = this.#format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d+)(?::(\d+))?(?::(\d+))?)?/.exec(name) ?? []
    const ms = Number(hours ?? 0) * 3_600_000 + Number(minutes ?? 0) * 60_000 + Number(seconds ?? 0) * 1_000
    return sign === '-' ? -ms : ms
  }

  /** The first instant from which on the offset is no longer that of `since`; `undefined` if `until` has the same. */
  changeBetween(since: number, until: number): number | undefined {
    const before = this.offsetAt(since)
    if (this.offsetAt(until) === before) return undefined
    // Whole milliseconds: between fractions the middle would not move.
    let low = Math.floor(since)
    let high = Math.ceil(until)
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.offsetAt(middle) === before) low = middle
      else high = middle
    }
    return high
  }

  /** The first instant at which clocks show this time (as if it were UTC) or a later one. */
  instantOf(local: number): number {
    const [since, until] = [local - widestOffsetMs, local + widestOffsetMs]
    const change = this.changeBetween(since, until)
    const early = local - this.offsetAt(since)
    if (change === undefined || early < change) return early
    return Math.max(change, local - this.offsetAt(until))
  }

  /** What clocks show at an instant, as if it were UTC. */
  localOf(at: number): number {
    return at + this.offsetAt(at)
  }

  /**
   * What clocks show at an instant, as spreadsheets read dates: without a zone.
   * @example new TimeZone('Europe/Berlin').textOf(0) // '1970-01-01 01:00:00'
   */
  textOf(at: number): string {
    return new Date(this.localOf(at)).toISOString().slice(0, 19).replace('T', ' ')
  }
}

/** No clock was ever further from UTC, and none changed twice within twice that in this century. */
const widestOffsetMs = 26 * 3_600_000
