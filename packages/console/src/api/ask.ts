import { accessKey, noteRefusal } from './access-key.ts'

const patienceMs = 60_000

/** Why there is no answer, in words for a person. */
export class NoAnswer extends Error {
  /** Of the response; `undefined` where there was none. */
  readonly status: number | undefined
  /** The gateway's name of the error, where it gave one. */
  readonly code: string | undefined

  constructor(message: string, status?: number, code?: string) {
    super(message)
    this.name = 'NoAnswer'
    this.status = status
    this.code = code
  }
}

/** Values of a query; what is `undefined` or empty is left out. */
export type Query = Readonly<Record<string, string | number | undefined>>

/**
 * The address of an endpoint, relative to the page: a gateway may be served under a path of something else.
 * @example addressOf('v1/events', { limit: 50, model: undefined }) // 'v1/events?limit=50'
 */
export function addressOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? path : `${path}?${text}`
}

/**
 * Asks the gateway with the user's key, if there is one.
 * @throws NoAnswer when the gateway refuses, cannot be reached or takes over a minute; AbortError when `signal` says so
 */
export async function ask<T>(address: string, signal: AbortSignal): Promise<T> {
  return read(await fetchWithKey(address, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])), signal)
}

/**
 * Has the gateway do something.
 * @throws NoAnswer as `ask` does
 */
export async function tell<T>(method: 'POST' | 'DELETE', address: string, body?: unknown): Promise<T> {
  const signal = AbortSignal.timeout(patienceMs)
  const json = body === undefined ? {} : { body: JSON.stringify(body), type: 'application/json' }
  return read(await fetchWithKey(address, signal, { method, ...json }), signal)
}

async function read<T>(answer: Response, signal: AbortSignal): Promise<T> {
  try {
    return (await answer.json()) as T // the API's documented shape; readers take any field as possibly missing
  } catch (error) {
    throw signal.aborted ? error : new NoAnswer('The gateway sent something that is not JSON.', answer.status)
  }
}

/** What is sent, where it is more than a question. */
interface Sent {
  readonly method?: string
  readonly body?: string
  readonly type?: string
}

/** The response, when it is a good one. */
export async function fetchWithKey(address: string, signal: AbortSignal, what: Sent = {}): Promise<Response> {
  const key = accessKey.value
  const { type, ...sent } = what
  const headers = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(type !== undefined && { 'content-type': type }),
  }
  const answer = await fetch(address, { signal, cache: 'no-store', headers, ...sent }).catch((error: unknown) => {
    throw failureOf(error)
  })
  if (answer.ok) return answer
  if (answer.status === 401) noteRefusal(key)
  throw await refusalOf(answer)
}

function failureOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  if (error.name === 'AbortError') return error
  if (error.name === 'TimeoutError') return new NoAnswer(`The gateway has not answered for ${patienceMs / 1000} s.`)
  return new NoAnswer('The gateway cannot be reached.')
}

async function refusalOf(answer: Response): Promise<NoAnswer> {
  const { status } = answer
  try {
    const { error } = (await answer.json()) as { error?: { message?: unknown; code?: unknown } } // anything else reads as undefined
    const code = typeof error?.code === 'string' ? error.code : undefined
    if (typeof error?.message === 'string') return new NoAnswer(error.message, status, code)
  } catch {
    // A proxy in between answers with a page of its own: the status has to do.
  }
  return new NoAnswer(`The gateway answered ${status}.`, status)
}
