import type { EpochMs } from '@incipit/core'
import { epochMs, orgId, picoUsd, sessionId, tokenCount, unreportedUsage } from '@incipit/core'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { defaultEventFieldNames, eventFieldNames } from '../packages/gateway/src/ledger/event-fields.ts'
import type { LedgerEvent } from '../packages/gateway/src/ledger/port.ts'
import { anEvent } from '../packages/gateway/src/ledger/testing/an-event.ts'
import { parseCsv } from './support/parse-csv.ts'
import { idAt, startSeeded } from './support/seeded-ledger.ts'

const [acme, bolt, admin] = ['key-of-acme-web-0001', 'key-of-bolt-web-0001', 'key-of-root-ops-0001']
const config = `
keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: ${bolt}, org: bolt, name: web-b, role: member }
  - { key: ${admin}, org: root, name: ops, role: admin }
`
const begin = Date.UTC(2024, 2, 30, 12)
const minute = 60_000
/** What clients named their models, and what a table must not trip over. */
const models = [
  'plain',
  'with,comma',
  'say "hi"',
  'two\r\nlines',
  '=HYPERLINK("http://x")',
  '-1',
  '日本語 🙂',
  "'quoted",
]
const verdicts = ['warm', 'partial', 'cold', undefined] as const

/** One a minute, over a night in which clocks are set forward in Europe. */
const events: readonly LedgerEvent[] = Array.from({ length: 1_200 }, (_, index) =>
  anEvent(idAt(index), {
    ...outcomeOf(index),
    at: at(index),
    org: orgId(index % 3 === 0 ? 'bolt' : 'acme'),
    keyName: index % 2 === 0 ? 'web' : undefined,
    session: sessionId(`ses_${String(index % 5).padStart(32, '0')}`),
    upstream: index % 4 === 0 ? undefined : `up-${index % 4}`,
    provider: index % 4 === 1 ? 'openai' : undefined,
    model: models[index % models.length] ?? '',
    usage: { ...unreportedUsage, fresh: tokenCount(index), read: tokenCount(0), output: tokenCount(7) },
    inputTokens: tokenCount(index),
    cachedInputTokens: tokenCount(0),
    rawUsage: index % 6 === 0 ? `{"prompt_tokens":${index},"note":"a,b"}` : undefined,
  }),
)
/** As listings have them. */
const newestFirst = events.toReversed()

let gateway: ServerProcess
beforeAll(async () => {
  gateway = await startSeeded(events, { config })
})
afterAll(() => gateway.stop())

describe('formats', () => {
  test('M-2 pages of JSON, lines of JSON and a table say the same of every event', async () => {
    const listed: Record<string, unknown>[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page = await list(`limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`)
      listed.push(...page.data)
      cursor = page.next_cursor
    }
    expect(listed.map(({ id }) => id)).toEqual(newestFirst.map(({ id }) => id))
    const lines = await text('format=jsonl')
    expect(linesOf(lines)).toEqual(listed)

    const table = parseCsv(await text('format=csv'))
    expect(table).toHaveLength(listed.length)
    for (const [index, row] of table.entries()) expect(row).toEqual(cellsOf(listed[index] ?? {}))
  })

  test('M-2 a table has the columns asked for, in that order, usage as one for each count', async () => {
    const table = await text('format=csv&fields=cost_usd,usage,model,cached_input_tokens&limit=1')
    expect(table.split('\r\n')[0]).toBe(
      'cost_usd,fresh_tokens,read_tokens,write_5m_tokens,write_30m_tokens,write_1h_tokens,write_12h_tokens,output_tokens,storage_token_hours,model,cached_input_tokens',
    )
    const every = await text(`format=csv&fields=${eventFieldNames.join(',')}&limit=1`)
    const columns = Object.keys(parseCsv(every)[0] ?? {})
    expect(new Set(columns)).toEqual(new Set(eventFieldNames.filter((name) => name !== 'usage')))
  })

  test('M-2 no text in a table is a formula; amounts below nothing stay numbers without an exponent', async () => {
    const rows = parseCsv(await text('format=csv&fields=model,saved_usd'))
    const written = new Set(rows.map(({ model }) => model))
    expect(written).toEqual(new Set([...models.slice(0, 4), `'${models[4]}`, "'-1", ...models.slice(6)]))
    expect(new Set(rows.map((row) => row['saved_usd']))).toEqual(new Set([null, '-0.000000000001']))
  })

  test('M-2 the accept header chooses the format, and `format` wins over it', async () => {
    const typeOf = async (query: string, accept: string): Promise<string | null> => {
      const answer = await ask(`/v1/events?limit=1&${query}`, admin, { accept })
      await answer.text()
      expect(answer.headers.get('vary')).toBe('accept')
      return answer.headers.get('content-type')
    }
    expect(await typeOf('', 'text/csv')).toBe('text/csv; charset=utf-8; header=present')
    expect(await typeOf('', 'application/x-ndjson')).toBe('application/jsonl; charset=utf-8')
    expect(await typeOf('', 'text/html,*/*;q=0.8')).toBe('application/json; charset=utf-8')
    expect(await typeOf('format=jsonl', 'text/csv')).toBe('application/jsonl; charset=utf-8')
  })

  test('M-2 an export goes to a file, is bounded by its limit, and says where it was cut', async () => {
    const cut = await withTrailers('format=csv&fields=id&limit=700')
    expect(cut.headers['content-disposition']).toMatch(/^attachment; filename="incipit-events-[\dT-]+Z\.csv"$/)
    const [first, next] = [parseCsv(cut.text), cut.trailers['x-incipit-next-cursor']]
    expect(cut.trailers['x-incipit-events']).toBe('700')
    const rest = await withTrailers(`format=csv&fields=id&limit=700&cursor=${next}`)
    expect(rest.trailers).toEqual({ 'x-incipit-events': '500' })
    expect([...first, ...parseCsv(rest.text)].map(({ id }) => id)).toEqual(newestFirst.map(({ id }) => id))

    const lines = linesOf(await text('format=jsonl&fields=id&limit=3'))
    expect(lines).toHaveLength(4)
    expect(lines.at(-1)).toEqual({ object: 'cut', next_cursor: expect.any(String) as string })
    const { next_cursor: cursor } = lines.at(-1) ?? {}
    const [after] = linesOf(await text(`format=jsonl&fields=id&limit=1&cursor=${String(cursor)}`))
    expect(after).toEqual({ id: newestFirst[3]?.id })
  })

  test('an export of nothing is a table with a head, and no line', async () => {
    expect(await text('format=csv&fields=id,model&model=none')).toBe('id,model\r\n')
    expect(await text('format=jsonl&model=none')).toBe('')
  })
})

describe('filters', () => {
  test.each([
    ['org=bolt', (event: LedgerEvent) => event.org === 'bolt'],
    ['key=web', (event: LedgerEvent) => event.keyName === 'web'],
    [`session=ses_${'0'.repeat(31)}3`, (event: LedgerEvent) => event.session?.endsWith('3') === true],
    ['model=with%2Ccomma', (event: LedgerEvent) => event.model === 'with,comma'],
    ['upstream=up-1', (event: LedgerEvent) => event.upstream === 'up-1'],
    ['kind=attempt', (event: LedgerEvent) => event.kind === 'attempt'],
    ['status=503', (event: LedgerEvent) => event.status === 503],
    ['provider=openai&kind=request', (event: LedgerEvent) => event.provider === 'openai' && event.kind === 'request'],
    ['verdict=partial', (event: LedgerEvent) => event.verdict === 'partial'],
    ['cause=expired', (event: LedgerEvent) => event.cause === 'expired'],
    [`since=${begin + 90_000}`, (event: LedgerEvent) => event.at >= begin + 90_000],
    ['until=2024-03-30T13:00:00Z', (event: LedgerEvent) => event.at < begin + 60 * minute],
    ['since=2024-03-30T14:00:00+01:00', (event: LedgerEvent) => event.at >= begin + 60 * minute],
    ['since=2024-03-31', (event: LedgerEvent) => event.at >= Date.UTC(2024, 2, 31)],
    ['since=2024-03-31&tz=Europe/Berlin', (event: LedgerEvent) => event.at >= Date.UTC(2024, 2, 30, 23)],
    ['since=2024-03-31&until=2024-04-01&tz=Asia/Tokyo', (event: LedgerEvent) => event.at >= Date.UTC(2024, 2, 30, 15)],
    ['org=acme&verdict=warm&key=web&until=2024-03-31', acmeWarm],
    ['since=-1h', () => false],
  ] as const)('M-2 %s', async (query, matches) => {
    const ids = linesOf(await text(`format=jsonl&fields=id&${query}`)).map(({ id }) => id)
    expect(ids).toEqual(newestFirst.filter(matches).map(({ id }) => id))
  })

  test('M-2 a member exports its own organisation, whatever filter or cursor it sends', async () => {
    const own = newestFirst.filter(({ org }) => org === 'acme').map(({ id }) => id)
    const idsOf = async (query: string): Promise<unknown[]> =>
      linesOf(await text(`format=jsonl&fields=id&${query}`, acme)).map(({ id }) => id)
    expect(await idsOf('')).toEqual(own)
    expect(await idsOf('org=acme')).toEqual(own)
    expect(parseCsv(await text('format=csv&fields=org', acme)).every(({ org }) => org === 'acme')).toBe(true)
    // A place in the list of another organisation is a place in one's own.
    const { next_cursor: foreign } = await list('limit=1&org=bolt', admin)
    expect(await idsOf(`cursor=${foreign}`)).toEqual(own.filter((id) => id < (newestFirst[2]?.id ?? '')))
    const session = events[0]?.session
    const shared = newestFirst.filter((event) => event.org === 'acme' && event.session === session)
    expect(await idsOf(`session=${session}`)).toEqual(shared.map(({ id }) => id))
  })

  test('another organisation is refused in the same words whether there is such a one or not', async () => {
    const refused = async (org: string): Promise<unknown> => {
      const answer = await ask(`/v1/events?format=csv&org=${org}`, acme)
      expect(answer.status).toBe(403)
      const { request_id: _own, ...same } = ((await answer.json()) as { error: Record<string, unknown> }).error
      return same
    }
    expect(await refused('bolt')).toEqual(await refused('nobody'))
  })
})

test.each([
  ['since=yesterday', 'since is "yesterday", allowed are a date'],
  ['since=2024-03-31T12:00:00', 'a time without a zone'],
  ['until=2024-02-30', 'until is "2024-02-30"'],
  ['since=2024-04-01&until=2024-03-31', 'until is 2024-03-31T00:00:00.000Z, it must be after since'],
  ['tz=Mars/Phobos', 'tz is "Mars/Phobos", allowed are names of the IANA database'],
  ['tz=%2B01:00', 'tz is "+01:00"'],
  ['kind=question', 'kind is "question", allowed are request, attempt, ping, prewarm, storage'],
  ['status=4xx', 'status is "4xx", allowed are 100 to 599'],
  ['verdict=hot', 'verdict is "hot", allowed are warm, partial, cold'],
  ['cause=Expired!', 'cause is "Expired!"'],
  ['format=xml', 'format is "xml", allowed are json, jsonl, csv'],
  ['limit=1001', 'limit is "1001", allowed are 1 to 1000'],
  ['format=csv&limit=1000001', 'limit is "1000001", allowed are 1 to 1000000'],
  ['format=csv&limit=0', 'limit is "0", allowed are 1 to 1000000'],
  ['format=csv&fields=id,secret', '"fields" names "secret", known fields are'],
  ['format=csv&cursor=abc', '"cursor" is not one that this endpoint gave out'],
  ['model=a&model=b', 'model is given 2 times, once is allowed'],
  ['model=', 'model is empty'],
  ['group_by=model', 'there is no parameter "group_by"; known: since, until'],
])('%s is refused: %s', async (query, message) => {
  const answer = await ask(`/v1/events?${query}`, admin)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'application/json; charset=utf-8'])
  expect(((await answer.json()) as { error: { message: string } }).error.message).toContain(message)
})

function outcomeOf(index: number): Partial<LedgerEvent> {
  return {
    verdict: verdicts[index % 4],
    cause: index % 4 === 2 ? 'expired' : undefined,
    edits: index % 10 === 0 ? ['rename-model', 'inject-usage'] : [],
    warnings: index % 7 === 0 ? ['field_not_carried: seed; top_k'] : [],
    ...(index % 50 === 7 ? { kind: 'attempt', status: 503 } : {}),
    // A saving of less than nothing, by a pico-dollar.
    ...(index % 2 === 0 ? { cost: picoUsd(BigInt(index) + 1n), counterfactual: picoUsd(BigInt(index)) } : {}),
  }
}

interface Page {
  readonly data: Record<string, unknown>[]
  readonly next_cursor: string | null
}

function at(index: number): EpochMs {
  return epochMs(begin + index * minute)
}

function acmeWarm({ org, verdict, keyName, at: time }: LedgerEvent): boolean {
  return org === 'acme' && verdict === 'warm' && keyName === 'web' && time < Date.UTC(2024, 2, 31)
}

/** What a table shows of an event. */
function cellsOf(view: Readonly<Record<string, unknown>>): Record<string, string | null> {
  const { usage, ...flat } = view
  const counts = Object.entries(usage as Record<string, number | null>).map(([name, value]) => [
    name === 'storage' ? 'storage_token_hours' : `${name}_tokens`,
    value,
  ])
  const columns = defaultEventFieldNames.flatMap((name) => (name === 'usage' ? counts : [[name, flat[name]]]))
  return Object.fromEntries(columns.map(([name, value]) => [String(name), cellOf(value)]))
}

function cellOf(value: unknown): string | null {
  if (value === null) return null
  if (typeof value === 'object') return JSON.stringify(value)
  if (typeof value === 'string') return /^[=+\-@]/.test(value) ? `'${value}` : value
  if (typeof value !== 'number') return value === true ? 'true' : 'false'
  return String(value).includes('e') ? value.toFixed(12).replace(/0+$/, '') : String(value)
}

function linesOf(lines: string): Record<string, unknown>[] {
  expect(lines === '' || lines.endsWith('\n')).toBe(true)
  const whole = lines.split('\n').slice(0, -1)
  return whole.map((line) => JSON.parse(line) as Record<string, unknown>)
}

async function ask(path: string, key: string | undefined, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${key}`, ...headers } })
}

async function text(query: string, key = admin): Promise<string> {
  const answer = await ask(`/v1/events?${query}`, key)
  const body = await answer.text()
  expect([answer.status, answer.status === 200 ? '' : body]).toEqual([200, ''])
  return body
}

async function list(query: string, key = admin): Promise<Page> {
  return JSON.parse(await text(query, key)) as Page // the API's documented shape
}

async function withTrailers(query: string): Promise<Pick<IncomingMessage, 'headers' | 'trailers'> & { text: string }> {
  const sent = get(`${gateway.url}/v1/events?${query}`, { headers: { authorization: `Bearer ${admin}` } })
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  const { headers, trailers } = answer
  return { headers, trailers: { ...trailers }, text: Buffer.concat(chunks).toString('utf8') }
}
