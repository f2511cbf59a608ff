import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject } from './json.ts'
import { isObject, kindOf } from './json.ts'
import { Refusal } from './refusal.ts'

/** One request as an emulated provider sees it. */
export interface EmulatedRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Counts from 1 since the start or the last reset; makes ids unique and repeatable. */
  readonly number: number
  /** When its head arrived, by the emulator's clock. */
  readonly receivedAt: number
  /** A fault asks for an answer of this many bytes. */
  readonly answerBytes: number | undefined
}

/** A request that has been received and kept, in order of arrival. */
export interface RecordedRequest {
  readonly method: string
  /** With its query, as sent. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The exact bytes. */
  readonly body: Buffer
  /** By the emulator's clock, in milliseconds since 1970. */
  readonly at: number
}

/** One header, the first of several equal ones. */
export function headerOf(request: EmulatedRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The key of `authorization: Bearer …`. */
export function bearerOf(request: EmulatedRequest): string | undefined {
  return /^bearer\s+(\S+)\s*$/i.exec(headerOf(request, 'authorization') ?? '')?.[1]
}

/** @throws Refusal 400 when the body is not a JSON object */
export function jsonBodyOf(request: EmulatedRequest): JsonObject {
  const value = parsed(request.body)
  if (!isObject(value)) throw new Refusal(400, `the body must be a JSON object, got ${kindOf(value)}`)
  return value
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal(400, `the request body of ${body.length} bytes is not valid JSON`)
  }
}
