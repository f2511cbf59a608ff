/** What came back for one request. */
export interface Posted {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/**
 * Posts exact bytes.
 * @example const answer = await post(`${gateway.url}/v1/messages`, body, { 'x-api-key': 'key' })
 */
export async function post(
  url: string,
  body: Buffer | string | object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Posted> {
  const bytes = Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof bytes === 'string' ? bytes : new Uint8Array(bytes),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

/**
 * Posts exact bytes, and insists on an answer that is none of an error.
 * @throws Error with what came back
 */
export async function posted(...request: Parameters<typeof post>): Promise<Posted> {
  const answer = await post(...request)
  if (answer.status === 200) return answer
  throw new Error(`${request[0]} answered ${answer.status}: ${answer.text.slice(0, 1_000)}`)
}

/** What a test may ask of the ledger's row of an answered request. */
export interface EventRow {
  readonly org: string
  readonly key: string | null
  readonly session: string
  readonly scope: string
  readonly dialect: string
  readonly upstream: string
  readonly edits: readonly string[]
  readonly warnings: readonly string[]
  readonly status: number
  readonly usage: Readonly<Record<string, number | null>>
}

/** The ledger's row of an answered request. @throws Error when there is none */
export async function rowOf(
  url: string,
  answer: { readonly headers: Headers },
  headers: Readonly<Record<string, string>> = {},
): Promise<EventRow> {
  const id = answer.headers.get('x-incipit-request-id')
  const shown = await fetch(`${url}/v1/events/${id}`, { headers })
  if (!shown.ok) throw new Error(`no event ${id}: ${shown.status} ${await shown.text()}`)
  return (await shown.json()) as EventRow // the API's documented shape
}
