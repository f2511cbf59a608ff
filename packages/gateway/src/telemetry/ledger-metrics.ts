import type { LedgerCounters } from '../ledger/sqlite-ledger.ts'
import type { Instruments } from './instruments.ts'
import { showCount } from './instruments.ts'

/** What a ledger counts of itself. */
export class LedgerMetrics {
  readonly #counters
  readonly #gauges
  #read: (() => LedgerCounters) | undefined
  /** Rows that were lost as far as this process was told; a ledger that counts knows better. */
  #lost = 0

  constructor(make: Instruments) {
    this.#counters = {
      stored: make.counter('incipit_ledger_stored_events_total', 'Events of this process that are in the store'),
      lost: make.counter('incipit_ledger_lost_events_total', 'Events the ledger did not take in time, or at all'),
      late: make.counter('incipit_ledger_late_events_total', 'Events counted as lost that were written nevertheless'),
      recovered: make.counter(
        'incipit_ledger_recovered_events_total',
        'Events other processes recorded and this one stored',
      ),
      garbage: make.counter('incipit_ledger_garbage_lines_total', 'Lines of journals that were no events'),
      pruned: make.counter('incipit_ledger_pruned_events_total', 'Events deleted because of their age'),
      erased: make.counter('incipit_ledger_erased_events_total', 'Events that somebody had erased'),
      restarts: make.counter('incipit_ledger_restarts_total', 'Threads of the ledger that died and were replaced'),
    }
    this.#gauges = {
      failing: make.gauge('incipit_ledger_store_failing', '1 while the store of the ledger takes no events'),
      queued: make.gauge('incipit_ledger_queued_events', 'Events that wait for their write'),
      unimported: make.gauge('incipit_ledger_unimported_rows', 'Events recorded that wait for the store of the ledger'),
      unimportedBytes: make.gauge(
        'incipit_ledger_unimported_bytes',
        'Bytes of events that wait for the store of the ledger',
      ),
    }
  }

  lost(rows: number): void {
    this.#lost += rows
  }

  follow(read: () => LedgerCounters): void {
    this.#read = read
  }

  show(): void {
    const seen = this.#read?.()
    showCount(this.#counters.lost, [{ value: Math.max(seen?.lost ?? 0, this.#lost) }])
    if (seen === undefined) return
    for (const name of ['stored', 'late', 'recovered', 'garbage', 'pruned', 'erased', 'restarts'] as const) {
      showCount(this.#counters[name], [{ value: seen[name] }])
    }
    this.#gauges.failing.set(seen.failing ? 1 : 0)
    for (const name of ['queued', 'unimported', 'unimportedBytes'] as const) this.#gauges[name].set(seen[name])
  }
}
