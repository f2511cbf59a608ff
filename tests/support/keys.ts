import type { ServerProcess } from '../../benchmarks/support/server-process.ts'

/** The admin's key of a test's configuration, and the line of the file that makes it one. */
export const adminKey = 'admin-key-of-the-gateway'
export const adminLine: string = `  - { key: ${adminKey}, org: house, name: admin, role: admin }`

/** A key as the API answers it. */
export interface ShownKey {
  readonly id: string
  readonly name: string
  readonly key: string
  readonly [field: string]: unknown
}

/** What an endpoint answered. */
export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}

/** Asks the gateway with a key; a body makes it a POST. */
export async function ask(
  { url }: Pick<ServerProcess, 'url'>,
  path: string,
  more: { readonly key?: string; readonly method?: string; readonly body?: unknown; readonly headers?: object } = {},
): Promise<Told> {
  const { key = adminKey, body } = more
  const response = await fetch(`${url}${path}`, {
    method: more.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...more.headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = text.startsWith('{') ? (JSON.parse(text) as Told['json']) : {}
  return { status: response.status, headers: response.headers, text, json }
}

/**
 * Makes a virtual key.
 * @throws Error with the answer when it is refused
 */
export async function aKey(server: Pick<ServerProcess, 'url'>, more: object = {}): Promise<ShownKey> {
  const made = await ask(server, '/v1/keys', { body: { org: 'acme', name: `key-${++count}`, ...more } })
  if (made.status !== 201) throw new Error(made.text)
  return made.json as unknown as ShownKey // as the API documents it
}

let count = 0

/** The status of one prompt sent with a key. */
export async function chatStatus(server: Pick<ServerProcess, 'url'>, key: string, model = 'gpt-5.4'): Promise<number> {
  return (await chat(server, key, { model })).status
}

/** Sends one prompt with a key. */
export function chat(server: Pick<ServerProcess, 'url'>, key: string, more: object = {}): Promise<Told> {
  const body = { model: 'gpt-5.4', messages: [{ role: 'user', content: 'hello' }], ...more }
  return ask(server, '/v1/chat/completions', { key, body })
}
