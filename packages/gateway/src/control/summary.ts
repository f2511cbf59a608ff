import type { EpochMs } from '@incipit/core'
import type { House } from '../house.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Summary, SummaryQuery, SummaryRow } from '../ledger/port.ts'
import { TimeZone } from '../ledger/summary/time-zone.ts'
import { formatOf } from './answer-format.ts'
import { ControlQuery } from './control-query.ts'
import { csvLine } from './csv.ts'
import { filterParameters } from './event-filter.ts'
import { exportName } from './export-events.ts'
import type { JsonView } from './json-view.ts'
import { flatView } from './json-view.ts'
import { inParts, sendPieces } from './send-pieces.ts'
import { divisionParameters, summaryQuestion } from './summary-question.ts'
import { totalsView } from './summary-view.ts'
import type { TimeWindow } from './time-window.ts'
import { lengthsOf, windowOf } from './time-window.ts'

/** Rows that are written at a time. */
const partRows = 100

/**
 * `GET /v1/summary?group_by=model&interval=day&tz=Europe/Berlin`: totals of what the caller may see, with the filters
 * of `/v1/events`, and a row for each group and interval in which something happened. `format=csv` is the rows alone.
 */
export async function summarise(exchange: Exchange, house: House): Promise<void> {
  const caller = house.keys.authenticate(exchange.request)
  const parameters = [...filterParameters, ...divisionParameters, 'format']
  const query = new ControlQuery(exchange.url.searchParams, parameters)
  const now = house.clock.now()
  const question = summaryQuestion(query, caller, house)
  const format = formatOf(exchange.request, query, ['json', 'csv'])
  const whole = await house.ledger.summary({ ...question, groupBy: [], interval: 'none' })
  const divided = question.groupBy.length > 0 || question.interval !== 'none'
  const rows = divided ? await house.ledger.summary(question) : undefined
  const answer: Answer = { question, whole, rows, window: windowOf(whole, question.filter, now) }
  const head = { vary: 'accept', 'cache-control': 'no-store' }
  if (format === 'json') {
    return sendPieces(exchange, { ...head, 'content-type': 'application/json; charset=utf-8' }, jsonPieces(answer))
  }
  const headers = {
    ...head,
    'content-type': 'text/csv; charset=utf-8; header=present',
    'content-disposition': `attachment; filename="${exportName('summary', now, 'csv')}"`,
  }
  return sendPieces(exchange, headers, csvPieces(answer))
}

interface Answer {
  readonly question: SummaryQuery
  /** One row for all of it. */
  readonly whole: Summary
  /** Where the question divides it. */
  readonly rows: Summary | undefined
  readonly window: TimeWindow
}

function* jsonPieces({ question, whole, rows, window }: Answer): Generator<string> {
  const { interval, timeZone, groupBy } = question
  const head = {
    object: 'summary',
    since: isoText(window.since),
    until: isoText(window.until),
    interval,
    time_zone: timeZone,
    group_by: groupBy,
    truncated: rows?.truncated ?? false,
    ...totalsOf(whole, window),
  }
  const text = JSON.stringify(head)
  if (rows === undefined) {
    yield text
    return
  }
  yield `${text.slice(0, -1)},"rows":[`
  const view = viewer(question, window)
  let separator = ''
  for (const part of inParts(rows.rows, partRows)) {
    yield separator + part.map((row) => JSON.stringify(view(row))).join(',')
    separator = ','
  }
  yield ']}'
}

/**
 * Columns are those of the whole, so that a table without rows has them too. `local_start` is what a spreadsheet sorts
 * and groups by: as a date of UTC a day of Berlin is called by the day before.
 */
function* csvPieces({ question, whole, rows = whole, window }: Answer): Generator<string> {
  const group = Object.fromEntries(question.groupBy.map((key) => [key, null]))
  const columns = Object.keys(tableRow({ start: null, group, ...totalsOf(whole, window) }, null))
  yield csvLine(columns)
  const view = viewer(question, window)
  const zone = new TimeZone(question.timeZone)
  for (const part of inParts(rows.rows, partRows)) {
    yield part
      .map((row) => tableRow(view(row), row.start === undefined ? null : zone.textOf(row.start)))
      .map((row) => csvLine(columns.map((name) => row[name] ?? null)))
      .join('')
  }
}

function totalsOf({ rows: [row] }: Summary, { since, until }: TimeWindow): JsonView {
  return row === undefined ? {} : totalsView(row.totals, until - since)
}

interface RowView extends JsonView {
  readonly start: string | null
  readonly group: JsonView
}

function viewer(question: SummaryQuery, window: TimeWindow): (row: SummaryRow) => RowView {
  const lengthOf = lengthsOf(question, window)
  return ({ start, group, totals }) => ({
    start: start === undefined ? null : isoText(start),
    group: Object.fromEntries(question.groupBy.map((key) => [key, group[key] ?? null])),
    ...totalsView(totals, lengthOf(start)),
  })
}

function tableRow({ start, group, ...totals }: RowView, local: string | null): ReturnType<typeof flatView> {
  return { start, local_start: local, ...flatView(group), ...flatView(totals) }
}

function isoText(instant: EpochMs): string {
  return new Date(instant).toISOString()
}
