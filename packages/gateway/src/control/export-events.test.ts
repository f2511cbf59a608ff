import { epochMs, IncipitError } from '@incipit/core'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Cancellation } from '../http/cancellation.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Ledger, LedgerEvent } from '../ledger/port.ts'
import { anEvent } from '../ledger/testing/an-event.ts'
import { csvWriter, jsonlWriter } from './event-table.ts'
import type { EventExport } from './export-events.ts'
import { exportEvents, exportName } from './export-events.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

test('M-2 an export is every event in order, and trailers say how many', async () => {
  const { rows, pages } = aLedger(1_234)
  const { text, trailers } = await wholeAnswer(await exported(pages, { writer: jsonlWriter('id') }))
  expect(text.trimEnd().split('\n')).toEqual(rows.map(({ id }) => JSON.stringify({ id })))
  expect(trailers).toEqual({ 'x-incipit-events': '1234' })
  expect(pages.asked).toEqual([200, 200, 200, 200, 200, 200, 200])
})

test('M-2 an export that its limit cuts off says where it goes on', async () => {
  const { rows, pages } = aLedger(700)
  const cut = await wholeAnswer(await exported(pages, { writer: jsonlWriter('id'), limit: 600 }))
  const lines = cut.text.trimEnd().split('\n')
  expect(lines).toHaveLength(601)
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ object: 'cut', next_cursor: '600' })
  expect(cut.trailers).toEqual({ 'x-incipit-events': '600', 'x-incipit-next-cursor': '600' })
  const rest = await wholeAnswer(await exported(pages, { writer: csvWriter('id'), limit: 600, cursor: '600' }))
  expect(rest.text.trimEnd().split('\r\n')).toEqual(['id', ...rows.slice(600).map(({ id }) => id)])
  expect(rest.trailers).toEqual({ 'x-incipit-events': '100' })
})

test('a table of nothing has a head', async () => {
  const { text } = await wholeAnswer(await exported(aLedger(0).pages, { writer: csvWriter('id,usage,model') }))
  expect(text).toBe(
    'id,fresh_tokens,read_tokens,write_5m_tokens,write_30m_tokens,write_1h_tokens,write_12h_tokens,output_tokens,storage_token_hours,model\r\n',
  )
})

test('a client that reads nothing stops the reading of the ledger, and goes on when it reads', async () => {
  const { pages } = aLedger(50_000)
  const answer = await exported(pages, { writer: jsonlWriter(undefined) })
  await expect.poll(() => pages.idle()).toBe(true)
  // What sockets hold is some hundred kilobytes; all of it would be 40 MB in 250 pages.
  expect(pages.asked.length).toBeLessThan(125)
  const { text } = await wholeAnswer(answer)
  expect(text.trimEnd().split('\n')).toHaveLength(50_000)
  expect(pages.asked).toHaveLength(250)
})

test('a client that leaves ends the reading of the ledger', async () => {
  const { pages } = aLedger(50_000)
  const answer = await exported(pages, { writer: jsonlWriter(undefined) })
  await expect.poll(() => pages.idle()).toBe(true)
  answer.destroy()
  await expect.poll(() => pages.failure).toMatchObject({ code: 'client_closed' })
  expect(pages.asked.length).toBeLessThan(125)
})

test('a ledger that fails on the way cuts the connection, so that no half passes for a whole', async () => {
  const { pages } = aLedger(1_000)
  pages.failAt = 2
  // The client finds it before the head or behind it.
  await expect(exported(pages, { writer: csvWriter('id') }).then(wholeAnswer)).rejects.toThrow(/aborted|hang up/)
})

test('a file is named for its time', () => {
  expect(exportName('events', epochMs(Date.UTC(2026, 10, 1, 9, 30)), 'csv')).toBe(
    'incipit-events-2026-11-01T093000Z.csv',
  )
})

/** Pages whose cursors are numbers of rows, and what became of them. */
class Pages {
  readonly asked: number[] = []
  failAt = -1
  failure: unknown
  readonly #rows: readonly LedgerEvent[]
  #seen = -1

  constructor(rows: readonly LedgerEvent[]) {
    this.#rows = rows
  }

  readonly events: Ledger['events'] = async (_filter, { limit, cursor }) => {
    this.asked.push(limit)
    if (this.asked.length === this.failAt) throw new IncipitError('internal', 'the store broke')
    const start = Number(cursor ?? 0)
    const end = start + limit
    const events = this.#rows.slice(start, end)
    return { events, nextCursor: end < this.#rows.length ? String(end) : undefined }
  }

  /** True once nothing was asked for since the last call. */
  idle(): boolean {
    const idle = this.asked.length > 0 && this.asked.length === this.#seen
    this.#seen = this.asked.length
    return idle
  }
}

function aLedger(count: number): { rows: readonly LedgerEvent[]; pages: Pages } {
  const rows = Array.from({ length: count }, (_, index) => anEvent(`req_${String(index).padStart(24, '0')}`))
  return { rows, pages: new Pages(rows) }
}

/** An answer whose head is here and whose body nobody reads yet. */
async function exported(
  pages: Pages,
  asked: Pick<EventExport, 'writer'> & Partial<EventExport>,
): Promise<IncomingMessage> {
  const ledger = { events: pages.events } as unknown as Ledger // nothing else is asked
  const server = createServer((incoming, response) => {
    const signal = new Cancellation()
    response.on('close', () => signal.abort(new IncipitError('client_closed', 'the client went away')))
    const exchange = { request: incoming, response, signal } as unknown as Exchange // nothing else is read
    const whole = { filter: {}, limit: 1_000_000, cursor: undefined, fileName: 'x', ...asked }
    exportEvents(exchange, ledger, whole).catch((error: unknown) => {
      pages.failure = error
      response.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const sent = request({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  sent.on('error', () => undefined)
  sent.end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.on('error', () => undefined)
  return answer
}

async function wholeAnswer(answer: IncomingMessage): Promise<{ text: string; trailers: unknown }> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return { text: Buffer.concat(chunks).toString('utf8'), trailers: { ...answer.trailers } }
}
