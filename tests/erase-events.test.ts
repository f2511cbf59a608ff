import { epochMs, orgId, sessionId } from '@incipit/core'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { openDatabase } from '../packages/gateway/src/ledger/driver.ts'
import { anEvent } from '../packages/gateway/src/ledger/testing/an-event.ts'
import { idAt, startSeeded } from './support/seeded-ledger.ts'

const [acme, admin] = ['key-of-acme-web-0001', 'key-of-root-ops-0001']
const config = `
keys:
  - { key: ${acme}, org: acme, name: web, role: member }
  - { key: ${admin}, org: root, name: ops, role: admin }
`
const dayMs = 86_400_000
const sessions = ['a', 'b', 'c'].map((digit) => `ses_${digit.repeat(32)}`)
/** One a day: 30 of the organisation acme and 30 of bolt, in three sessions that both have. */
const events = Array.from({ length: 60 }, (_, index) =>
  anEvent(idAt(index), {
    at: epochMs(Date.UTC(2024, 0, 1) + Math.floor(index / 2) * dayMs),
    org: orgId(index % 2 === 0 ? 'acme' : 'bolt'),
    session: sessionId(sessions[index % 3] ?? ''),
    model: `model-of-${index % 2 === 0 ? 'acme' : 'bolt'}`,
  }),
)

let gateway: ServerProcess

describe('what is erased', () => {
  beforeEach(async () => {
    gateway = await startSeeded(events, { config })
    onTestFinished(() => gateway.stop())
  })

  test('an organisation is erased: its events, its sums and its name, and nothing else', async () => {
    expect(await erase('org=acme')).toEqual([200, { deleted: 30 }])
    expect(await idsOf('')).toEqual(idsWhere((index) => index % 2 === 1))
    expect(await requestsOf('')).toBe(30)
    expect(await requestsOf('org=acme')).toBe(0)
    expect(await erase('org=acme')).toEqual([200, { deleted: 0 }])
    await gateway.kill()
    for (const file of readdirSync(gateway.dataDir).filter((name) => name.startsWith('incipit.db'))) {
      expect([file, readFileSync(join(gateway.dataDir, file)).includes('model-of-acme')]).toEqual([file, false])
    }
  })

  test('a session is erased by its own id or by the one that its client sent', async () => {
    expect(await erase(`session=${sessions[1]}`)).toEqual([200, { deleted: 20 }])
    expect(await idsOf('')).toEqual(idsWhere((index) => index % 3 !== 1))
    expect(await requestsOf('')).toBe(40)
    expect(await erase('session=a-name-that-nobody-sent')).toEqual([200, { deleted: 0 }])
  })

  test('single events before a day are forgotten, sums keep them', async () => {
    expect(await erase('before=2024-01-11')).toEqual([200, { deleted: 20 }])
    expect(await idsOf('')).toEqual(idsWhere((index) => index >= 20))
    expect(await requestsOf('')).toBe(60)
    expect(await requestsOf('since=2024-01-01&until=2024-01-06&org=acme')).toBe(5)
  })
})

describe('what is refused', () => {
  beforeAll(async () => {
    gateway = await startSeeded(events, { config })
  })
  afterAll(() => gateway.stop())

  test.each([
    ['', 'none of org, session, before is given, exactly one is needed'],
    ['tz=Europe/Berlin', 'none of org, session, before is given'],
    ['org=acme&session=x', 'org and session of org, session, before is given'],
    ['org=acme&before=-1d', 'org and before of'],
    ['org=', 'org is empty'],
    ['model=x', 'there is no parameter "model"; known: org, session, before, tz'],
    ['before=soon', 'before is "soon", allowed are'],
    ['before=9999-01-01', 'before is 9999-01-01T00:00:00.000Z, it must not be after now'],
  ])('%s erases nothing: %s', async (query, message) => {
    const [status, body] = await erase(query)
    expect([status, (body as { error: { message: string } }).error.message]).toEqual([
      400,
      expect.stringContaining(message),
    ])
    expect(await requestsOf('')).toBe(60)
  })

  test('while another program holds the store, erasing is put off, not a defect, and questions are answered', async () => {
    const database = await openDatabase({ file: join(gateway.dataDir, 'incipit.db'), busyMs: 5_000 })
    try {
      database.exec('BEGIN IMMEDIATE')
      const answer = await ask('/v1/events?org=acme', admin, 'DELETE')
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1'])
      expect(await answer.text()).toContain('the ledger cannot answer: locked')
      expect(await requestsOf('')).toBe(60)
    } finally {
      database.exec('ROLLBACK')
      database.close()
    }
  })

  test('a member erases nothing, not even what is its own', async () => {
    for (const query of ['org=acme', 'org=bolt', 'before=2024-01-11', '']) {
      expect((await erase(query, acme))[0]).toBe(403)
    }
    expect(await requestsOf('')).toBe(60)
  })
})

async function erase(query: string, key: string | undefined = admin): Promise<[number, unknown]> {
  const answer = await ask(`/v1/events?${query}`, key, 'DELETE')
  return [answer.status, await answer.json()]
}

async function idsOf(query: string): Promise<unknown[]> {
  const { data } = (await (await ask(`/v1/events?limit=1000&fields=id&${query}`)).json()) as { data: { id: string }[] }
  return data.map(({ id }) => id).sort()
}

function idsWhere(matches: (index: number) => boolean): string[] {
  return events.filter((_, index) => matches(index)).map(({ id }) => id)
}

async function requestsOf(query: string): Promise<unknown> {
  return ((await (await ask(`/v1/summary?${query}`)).json()) as { requests: number }).requests
}

function ask(path: string, key: string | undefined = admin, method = 'GET'): Promise<Response> {
  return fetch(`${gateway.url}${path}`, { method, headers: { authorization: `Bearer ${key}` } })
}
