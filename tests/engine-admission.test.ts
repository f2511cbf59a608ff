import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ServerProcess } from '../benchmarks/support/server-process.ts'
import { startServerProcess } from '../benchmarks/support/server-process.ts'
import { uniqueText } from './support/prompts.ts'

const config = `
engine:
  disk_bytes: 0
  max_concurrent: 2
  max_queued: 2
  models:
    - { name: demo, path: "builtin:demo", context_tokens: 8192 }
keys:
  - { key: key-of-acme, org: acme, name: acme-web }
  - { key: key-of-house, org: house, name: house, role: admin }
  - { key: key-of-zeta, org: zeta, name: zeta-web }
`
/** Without its control tokens the model cannot end an answer early. */
const endless = { logit_bias: { 0: -100, 1: -100, 2: -100 } }

let server: ServerProcess

beforeAll(async () => {
  server = await startServerProcess({ config })
})
afterAll(() => server.stop())

interface Asked {
  readonly path?: string
  readonly key?: string
  readonly session?: string
  readonly signal?: AbortSignal
}

function ask(body: object, { path = '/v1/chat/completions', key = 'key-of-acme', session, signal }: Asked = {}) {
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      ...(session === undefined ? {} : { 'x-session-id': session }),
    },
    body: JSON.stringify({ model: 'demo', ...body }),
    ...(signal === undefined ? {} : { signal }),
  })
}

const metric = async (name: string): Promise<number> => {
  const page = await (
    await fetch(`${server.url}/metrics`, { headers: { authorization: 'Bearer key-of-house' } })
  ).text()
  expect(page).toContain(name)
  const values = page.split('\n').filter((line) => line.startsWith(name) && /[{ ]/.test(line[name.length] ?? ''))
  return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

function question(words = 40): { readonly messages: readonly object[] } {
  return { messages: [{ role: 'user', content: uniqueText(words) }] }
}

/** Answers that never end fill the engine: two run and two wait. `leave` makes them go; `statuses` are of those that began. */
async function fillEngine(key: string, sessions: readonly string[]) {
  const statuses: number[] = []
  const leave = new AbortController()
  const answers = sessions.map((session) =>
    ask({ ...question(), ...endless, stream: true, max_tokens: 6_000 }, { key, session, signal: leave.signal })
      .then((answer) => {
        statuses.push(answer.status)
        return answer.text()
      })
      .catch(() => undefined),
  )
  await expect.poll(() => metric('incipit_engine_requests_running')).toBe(2)
  await expect.poll(() => metric('incipit_engine_requests_queued')).toBe(2)
  const empty = async (): Promise<void> => {
    leave.abort()
    await Promise.all(answers)
    await expect.poll(() => metric('incipit_engine_requests_running')).toBe(0)
  }
  return { statuses, leave: empty }
}

test('a full engine refuses in each dialect with 503, the numbers, and when to come again', async () => {
  const { leave } = await fillEngine('key-of-acme', ['a', 'b', 'c', 'd'])
  try {
    const message = '4 requests are running or waiting, 4 allowed'
    const error = { code: 'overloaded', message: expect.stringContaining(message) }
    const cases: readonly [string, object, object][] = [
      ['/v1/chat/completions', question(), { error }],
      ['/v1/responses', { input: uniqueText(20) }, { error }],
      [
        '/v1/messages',
        { ...question(), max_tokens: 5 },
        { type: 'error', error: { type: 'overloaded_error', message: expect.stringContaining(message) } },
      ],
    ]
    for (const [path, body, expected] of cases) {
      const answer = await ask(body, { path, session: 'a' })
      expect([path, answer.status]).toEqual([path, 503])
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60)
      expect(await answer.json()).toMatchObject(expected)
    }
  } finally {
    await leave()
  }
})

test('an organisation that fills the line does not keep another one out: its latest is refused instead', async () => {
  const controller = new AbortController()
  const { leave, statuses } = await fillEngine('key-of-acme', ['a', 'b', 'c', 'd'])
  try {
    const other = ask({ ...question(), max_tokens: 3, stream: true }, { key: 'key-of-zeta', signal: controller.signal })
    // It waits where one of the others did.
    await expect.poll(() => statuses).toContain(503)
    expect(await metric('incipit_engine_requests_queued')).toBe(2)
    await leave()
    expect((await other).status).toBe(200)
    await (await other).text()
  } finally {
    controller.abort()
    await leave()
  }
})

test('embeddings are refused in the same way', async () => {
  const input = Array.from({ length: 150 }, () => uniqueText(120))
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask({ input }, { path: '/v1/embeddings' })))
  const refused = answers.filter(({ status }) => status === 503)
  expect(refused.length).toBeGreaterThan(0)
  for (const answer of answers) {
    const body = (await answer.json()) as { error?: object }
    if (answer.status === 200) continue
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(body.error).toMatchObject({
      code: 'overloaded',
      message: expect.stringMatching(/\d+ .* waiting, 2 allowed/),
    })
  }
})
