import { AiBindingError } from './ai-binding-error.ts'
import type { AiInputs, AiResult, AiStreamInputs } from './ai-types.ts'

/** Where the binding sends its calls. */
export interface AiBindingOptions {
  /** Address of the gateway: `http://127.0.0.1:4141`, with or without `/client/v4`. */
  readonly baseUrl: string
  readonly accountId: string
  /** Sent as a bearer token; a gateway without keys takes any. */
  readonly apiToken: string
  /** Another `fetch`, for tests or proxies; the global one by default. */
  readonly fetch?: typeof globalThis.fetch
}

/** What one call may add. */
export interface AiRunOptions {
  /** For example `x-session-affinity`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Gives the answer of the gateway as it came: status, headers, and the body in its envelope. */
  readonly returnRawResponse?: boolean
}

/** What one call adds that wants the answer as it came. */
export type AiRawRunOptions = AiRunOptions & { readonly returnRawResponse: true }

/** Which of them, the inputs and options decide. */
export type AiAnswer = AiResult | ReadableStream<Uint8Array> | Response

/** The part of a Workers AI binding (`env.AI`) that runs text models. */
export interface AiBinding {
  run(model: string, inputs: AiInputs, options: AiRawRunOptions): Promise<Response>
  /** With `stream: true`: the bytes of the event stream, as the Workers runtime gives them. */
  run(model: string, inputs: AiStreamInputs, options?: AiRunOptions): Promise<ReadableStream<Uint8Array>>
  run(model: string, inputs: AiInputs & { readonly stream?: false }, options?: AiRunOptions): Promise<AiResult>
  run(model: string, inputs: AiInputs, options?: AiRunOptions): Promise<AiAnswer>
}

/**
 * An object that stands in for `env.AI` of a Worker and calls a gateway. Web APIs only.
 *
 * `run` rejects with an `AiBindingError` when the gateway refuses the call or cannot be reached.
 *
 * @throws TypeError when an option is missing, or `baseUrl` is not an HTTP address
 * @example
 * const AI = createAiBinding({ baseUrl: 'http://127.0.0.1:4141', accountId: 'local', apiToken: 'unused' })
 * const answer = await AI.run('@cf/moonshotai/kimi-k2.5', { prompt: 'Explain prefix caching.' })
 */
export function createAiBinding(options: AiBindingOptions): AiBinding {
  requireTexts(options)
  const runUrl = `${apiRoot(options.baseUrl)}/accounts/${encodeURIComponent(options.accountId)}/ai/run`

  async function run(
    model: string,
    inputs: AiInputs,
    { headers, signal, returnRawResponse }: AiRunOptions = {},
  ): Promise<AiAnswer> {
    const url = `${runUrl}/${encodeModel(model)}`
    const sent = new Headers(headers)
    sent.set('authorization', `Bearer ${options.apiToken}`)
    sent.set('content-type', 'application/json')
    const request = { method: 'POST', headers: sent, body: JSON.stringify(inputs), ...(signal && { signal }) }
    // Looked up per call: a test may have replaced the global one.
    const call = options.fetch ?? globalThis.fetch
    const arrived = <T>(pending: Promise<T>): Promise<T> => pending.catch(rethrowAs(url, signal))

    const response = await arrived(call(url, request))
    if (returnRawResponse === true) return response
    if (!response.ok) throw failure(response.status, await arrived(response.text()))
    if (inputs.stream !== true) return resultOf(response.status, await arrived(response.text()))
    if (response.body === null)
      throw new AiBindingError('the answer has no body to stream', { status: response.status })
    return response.body
  }

  return { run: run as AiBinding['run'] } // an implementation cannot carry overloads through an object literal
}

function requireTexts(options: Partial<AiBindingOptions> | undefined): void {
  for (const name of ['baseUrl', 'accountId', 'apiToken'] as const) {
    const value: unknown = options?.[name]
    if (typeof value !== 'string') throw new TypeError(`createAiBinding needs ${name}, a text; got ${typeof value}`)
  }
}

function apiRoot(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new TypeError(`baseUrl must be an HTTP address such as http://127.0.0.1:4141, got "${baseUrl}"`)
  const path = url.pathname.replace(/\/+$/, '')
  return `${url.origin}${path.endsWith('/client/v4') ? path : `${path}/client/v4`}`
}

/** Slashes of `@cf/owner/model` are part of the path. */
function encodeModel(model: string): string {
  return model.split('/').map(encodeURIComponent).join('/').replaceAll('%40', '@')
}

/** Turns what `fetch` rejects with into an error that names the address; an abort by the caller stays what it is. */
function rethrowAs(url: string, signal: AbortSignal | undefined): (error: unknown) => never {
  return (error) => {
    if (signal?.aborted === true) throw error
    // The reason of a failed fetch stands in its cause, for a refused connection in the cause's code alone.
    const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string }
    const why = cause?.code ?? cause?.message ?? message ?? 'unknown reason'
    throw new AiBindingError(`no answer from ${url}: ${why}`, { status: undefined, cause: error })
  }
}

interface Envelope {
  readonly success?: boolean
  readonly result?: unknown
  readonly errors?: readonly { readonly code?: number | string; readonly message?: string }[]
}

function resultOf(status: number, body: string): AiResult {
  const envelope = parseEnvelope(body)
  const { success, result } = envelope ?? {}
  if (success !== true || typeof result !== 'object' || result === null) throw failure(status, body)
  return result as AiResult // the API's documented shape; the caller's model decides which fields are there
}

function failure(status: number, body: string): AiBindingError {
  const errors = parseEnvelope(body)?.errors ?? []
  const messages = errors.flatMap(({ message }) => (message === undefined ? [] : [message]))
  const message = messages.length > 0 ? messages.join('; ') : `the gateway answered ${status} with no envelope`
  return new AiBindingError(message, { status, code: errors[0]?.code })
}

function parseEnvelope(body: string): Envelope | undefined {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}
