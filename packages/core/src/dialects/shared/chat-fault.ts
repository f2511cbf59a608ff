import type { UpstreamFault } from '../../domain/answer.ts'
import { isRecord } from './token-counts.ts'

/**
 * The error that a parsed body or chunk carries, in the shapes servers of this API send: under `error` as an object
 * or a string, or at top level (vLLM and SGLang, older versions). `undefined` where it carries none.
 *
 * @example chatFault(JSON.parse(event.data))
 */
export function chatFault(body: unknown): UpstreamFault | undefined {
  if (!isRecord(body)) return undefined
  const error = body['error']
  if (isRecord(error)) return faultOf(error)
  if (typeof error === 'string') return { ...faultOf(body), message: error }
  return body['object'] === 'error' || body['type'] === 'error' ? faultOf(body) : undefined
}

/**
 * The error body of an upstream, whatever it holds. What we do not understand is measured, not repeated: it may
 * be a page of a proxy, or an echo of the prompt.
 *
 * @example readJsonFault(502, '<html>...', chatFault)
 */
export function readJsonFault(
  status: number,
  body: string,
  find: (body: unknown) => UpstreamFault | undefined,
): UpstreamFault {
  const value = parsed(body)
  const fault = find(value)
  if (fault !== undefined) return fault
  if (isRecord(value) && typeof value['message'] === 'string') return faultOf(value)
  if (isRecord(value) && typeof value['detail'] === 'string') return { ...faultOf(value), message: value['detail'] }
  const message = `the upstream answered ${status} with ${body.length} characters that state no error`
  return { type: undefined, code: undefined, message, param: undefined }
}

/** Parsed JSON; `undefined` where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function faultOf(error: Readonly<Record<string, unknown>>): UpstreamFault {
  return {
    type: wordOf(error['type']),
    code: wordOf(error['code']),
    message: wordOf(error['message']) ?? 'the upstream named no reason',
    param: wordOf(error['param']),
  }
}

/** Codes are words with some servers, numbers with others. */
export function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
