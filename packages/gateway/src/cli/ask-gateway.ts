import { request } from 'undici'

/** One question to a gateway that runs. */
export interface GatewayOptions {
  readonly url: string
  /** Key of an admin; not needed on an open gateway. */
  readonly key: string | undefined
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
}

const patienceMs = 30_000

/**
 * Asks a gateway that runs, as its users do.
 * @throws Error in plain words when it cannot be reached or refuses
 * @example await askGateway({ url, key, method: 'GET', path: '/v1/keys' })
 */
export async function askGateway(options: GatewayOptions): Promise<Readonly<Record<string, unknown>>> {
  const { url, key, method, path, body } = options
  const base = url.replace(/\/+(v1\/*)?$/, '')
  const { statusCode, text } = await send(`${base}${path}`, base, {
    method,
    headers: {
      ...(key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headersTimeout: patienceMs,
    bodyTimeout: patienceMs,
  })
  const answer = objectIn(text)
  if (statusCode < 300 && answer !== undefined) return answer
  const error = objectOr(answer?.['error'])
  const said = typeof error?.['message'] === 'string' ? error['message'] : `it says nothing that is known here`
  const advice = statusCode === 401 && key === undefined ? ' Set INCIPIT_KEY to the key of an admin.' : ''
  throw new Error(`the gateway at ${base} answered ${statusCode}: ${said}${advice}`)
}

async function send(
  whole: string,
  base: string,
  options: NonNullable<Parameters<typeof request>[1]>,
): Promise<{ statusCode: number; text: string }> {
  try {
    const { statusCode, body } = await request(whole, options)
    return { statusCode, text: await body.text() }
  } catch (cause) {
    const why =
      cause instanceof Error && cause.message !== '' ? cause.message : String((cause as { code?: unknown }).code)
    throw new Error(`the gateway at ${base} cannot be asked: ${why}`, { cause })
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return objectOr(JSON.parse(text))
  } catch {
    return undefined
  }
}

function objectOr(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined
}
