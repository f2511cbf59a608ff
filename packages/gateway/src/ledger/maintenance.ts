import type { Condition } from './event-filter.ts'
import { clause, parametersOf } from './event-filter.ts'
import { erasureConditions, noteErasure } from './erasures.ts'
import type { ErasureFilter } from './port.ts'
import { laterIndexes } from './schema.ts'
import type { SqlConnection } from './sql-connection.ts'
import { readValues, writeValue } from './store-state.ts'
import { Cell } from './summary/cell.ts'
import { levels, quarterMs } from './summary/pieces.ts'
import { changeCells, rollUp, rollupColumns } from './summary/rollups.ts'

/** Work on a store besides rows that come and questions; done in steps, so that both get their turn in between. */
export type Work =
  /** Completes what an older build left: sums of its events, indexes. */
  | { readonly kind: 'fill' }
  /** Deletes single events before an instant; sums keep them. */
  | { readonly kind: 'prune'; readonly before: number }
  /** Deletes sums of whole days before an instant of which there are no single events. */
  | { readonly kind: 'prune-summaries'; readonly before: number }
  | { readonly kind: 'note-erasure'; readonly what: ErasureFilter; readonly at: number }
  | { readonly kind: 'erase'; readonly what: ErasureFilter }
  /** Makes what was deleted unreadable. */
  | { readonly kind: 'scrub' }
  /** Gives space of what was deleted back to the file system. */
  | { readonly kind: 'shrink' }

/** What a step did. */
export interface WorkDone {
  /** Events, or sums, that were deleted. */
  readonly rows: number
  readonly more: boolean
}

/** A step takes about this long; the next one takes more or fewer rows accordingly. */
const stepMs = 25
const firstRows = 100
const [fewestRows, mostRows] = [10, 2_000]
const cellsPerStep = 300

/** Does work in steps of bounded length, each a transaction of its own. */
export class Maintenance {
  readonly #connection: SqlConnection
  #rows = firstRows
  #laterIndexes = [...laterIndexes]

  constructor(connection: SqlConnection) {
    this.#connection = connection
  }

  /** @throws SqlError when the store is locked or full: the step has changed nothing then */
  async step(work: Work): Promise<WorkDone> {
    const begun = performance.now()
    const done = await this.#step(work)
    const ms = performance.now() - begun
    if (ms > stepMs) this.#rows = Math.max(fewestRows, Math.floor(this.#rows / 2))
    else if (ms < stepMs / 2) this.#rows = Math.min(mostRows, this.#rows * 2)
    return done
  }

  // oxlint-disable-next-line consistent-return -- every kind returns
  async #step(work: Work): Promise<WorkDone> {
    const connection = this.#connection
    switch (work.kind) {
      case 'fill':
        return this.#fill()
      case 'prune':
        return connection.transaction(() => this.#prune(work.before))
      case 'prune-summaries':
        return connection.transaction(() => this.#pruneSummaries(work.before))
      case 'note-erasure':
        return connection.transaction(async () => {
          await noteErasure(connection, work.what, work.at)
          return nothingMore
        })
      case 'erase':
        return connection.transaction(() => this.#erase(work.what))
      case 'scrub':
        await connection.scrub()
        return nothingMore
      case 'shrink':
        return { rows: 0, more: await connection.shrink() }
    }
  }

  async #fill(): Promise<WorkDone> {
    if (this.#connection.dialect.name !== 'sqlite') return nothingMore
    const index = this.#laterIndexes[0]
    if (index !== undefined) {
      await this.#connection.run(index)
      this.#laterIndexes.shift()
      return { rows: 0, more: true }
    }
    const state = await readValues(this.#connection)
    if ((state.filled_to ?? 0) >= (state.fill_end ?? 0)) return nothingMore
    return this.#connection.transaction(async () => {
      // Again, under the lock: another process may be doing the same.
      const { filled_to: from = 0, fill_end: end = 0 } = await readValues(this.#connection)
      const rows = await this.#connection.all(
        `SELECT rowid AS number, ${rollupColumns.join(', ')} FROM events WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?`,
        [from, end, this.#rows],
      )
      await rollUp(this.#connection, rows, 1)
      const last = rows.at(-1)?.['number']
      await writeValue(this.#connection, 'filled_to', last === undefined ? end : Number(last))
      return { rows: 0, more: last !== undefined }
    })
  }

  /** Quarters of an hour are pruned as a whole: then a question is answered from sums or from events, never from half of them. */
  async #prune(asked: number): Promise<WorkDone> {
    const before = Math.floor(asked / quarterMs) * quarterMs
    const { pruned_before: pruned = -Infinity } = await readValues(this.#connection)
    if (before > pruned) await writeValue(this.#connection, 'pruned_before', before)
    const rows = await this.#deleteEvents([['at < ?', before]])
    return { rows: rows.length, more: rows.length > 0 }
  }

  async #pruneSummaries(asked: number): Promise<WorkDone> {
    const { pruned_before: pruned } = await readValues(this.#connection)
    if (pruned === undefined) return nothingMore
    const dayMs = levels[2]
    const before = Math.floor(Math.min(asked, pruned) / dayMs) * dayMs
    for (const width of levels) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      const rows = await this.#connection.all(
        'SELECT at, group_id FROM rollups WHERE width = ? AND at < ? ORDER BY at, group_id LIMIT ?',
        [width, before, this.#rows],
      )
      const last = rows.at(-1)
      if (last === undefined) continue
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await this.#connection.run('DELETE FROM rollups WHERE width = ? AND (at, group_id) <= (?, ?)', [
        width,
        last['at'] ?? null,
        last['group_id'] ?? null,
      ])
      return { rows: rows.length, more: true }
    }
    await this.#forgetGroups([])
    return nothingMore
  }

  async #erase(what: ErasureFilter): Promise<WorkDone> {
    const rows = await this.#deleteEvents(erasureConditions(what))
    await rollUp(this.#connection, rows, -1)
    if (rows.length > 0) return { rows: rows.length, more: true }
    // Of what was pruned before, an organisation has sums of its own; a session is in the sums of others.
    if (what.org === undefined || what.session !== undefined) return nothingMore
    return { rows: 0, more: await this.#eraseSums(what.org) }
  }

  async #eraseSums(org: string): Promise<boolean> {
    const { pruned_before: pruned = -Infinity } = await readValues(this.#connection)
    const groups = await this.#connection.all('SELECT id FROM rollup_groups WHERE org = ?', [org])
    const ids = JSON.stringify(groups.map(({ id }) => Number(id)))
    const ofOrg = `width = ? AND at < ? AND ${this.#connection.dialect.isOneOf('group_id', 'bigint')}`
    const rows = Number.isFinite(pruned)
      ? await this.#connection.all(
          `SELECT at, group_id, cell FROM rollups WHERE ${ofOrg} ORDER BY at, group_id LIMIT ?`,
          [quarterMs, pruned, ids, cellsPerStep],
        )
      : []
    const quarters = rows.map((row) => {
      const cell = new Cell()
      if (row['cell'] instanceof Uint8Array) cell.merge(row['cell'])
      return { at: Number(row['at']), group: Number(row['group_id']), cell }
    })
    await changeCells(this.#connection, quarters, { widths: levels, sign: -1 })
    if (rows.length > 0) return true
    await this.#forgetGroups([['org = ?', org]])
    return false
  }

  /** Groups without sums. Of every sum there is one of its day, and of those there are few. */
  async #forgetGroups(where: readonly Condition[]): Promise<void> {
    const unused: Condition = ['id NOT IN (SELECT group_id FROM rollups WHERE width = ?)', levels[2]]
    const all = [...where, unused]
    await this.#connection.run(`DELETE FROM rollup_groups ${clause(all)}`, parametersOf(all))
  }

  async #deleteEvents(where: readonly Condition[]): Promise<Awaited<ReturnType<SqlConnection['all']>>> {
    const rows = await this.#connection.all(
      `SELECT id, ${rollupColumns.join(', ')} FROM events ${clause(where)} ORDER BY at, id LIMIT ?`,
      [...parametersOf(where), this.#rows],
    )
    if (rows.length === 0) return rows
    const sql = `DELETE FROM events WHERE ${this.#connection.dialect.isOneOf('id', 'text')}`
    await this.#connection.run(sql, [JSON.stringify(rows.map(({ id }) => id))])
    return rows
  }
}

const nothingMore: WorkDone = { rows: 0, more: false }
