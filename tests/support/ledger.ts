import { expect } from 'vitest'

/** A row of the ledger as `GET /v1/events` shows it. */
export type Row = Readonly<Record<string, unknown>> & {
  readonly id: string
  readonly kind: string
  readonly status: number
  readonly error_code: string | null
  readonly upstream: string | null
  readonly replica: string | null
  readonly warnings: readonly string[]
  readonly edits: readonly string[]
  readonly usage: Readonly<Record<string, number | null>>
}

/** The row of a request, as soon as it is there. */
export async function rowOf(url: string, id: string | null, headers: Record<string, string> = {}): Promise<Row> {
  let row: Row | undefined
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${url}/v1/events/${id}`, { headers })
        row = answer.ok ? ((await answer.json()) as Row) : undefined // the API's documented shape
        return answer.status
      },
      { interval: 20 },
    )
    .toBe(200)
  return row ?? expect.unreachable('polled until there was one')
}

/** The attempts of a request that failed, in order. */
export async function attemptsOf(url: string, id: string | null): Promise<Row[]> {
  const answer = await fetch(`${url}/v1/events?limit=1000`)
  const { data } = (await answer.json()) as { data: Row[] } // the API's documented shape
  return data.filter((row) => row['parent_id'] === id).sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Sends a JSON body; the answer's body is not read. */
export async function post(
  url: string,
  body: unknown,
  more: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...more.headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  })
}

export function idOf(answer: Response): string | null {
  return answer.headers.get('x-incipit-request-id')
}
