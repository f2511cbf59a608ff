import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncipitError, RequestId } from '@incipit/core'
import type { CancelSignal } from './cancellation.ts'
import { announcesBody, discardRest } from './discard-rest.ts'

/** One request and its answer, as the stages see them. */
export interface Exchange {
  readonly id: RequestId
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly params: Readonly<Record<string, string>>
  /** Aborted when the client goes away, or when the server cuts streams at shutdown (reason: IncipitError). */
  readonly signal: CancelSignal
  /** Monotonic milliseconds at which the head arrived. */
  readonly receivedAt: number
}

/** Renders an error for whoever speaks to this route; where several do, the request tells who. */
export type ErrorRenderer = (
  error: IncipitError,
  requestId: string,
  request: IncomingMessage,
) => { status: number; body: string }

/**
 * One header value, or `undefined`. Repeated headers are joined as HTTP says, with a comma.
 * @example header(exchange.request, 'x-session-affinity')
 */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/**
 * Sends a whole JSON answer. Side effect: ends the response.
 * @example sendJson(exchange.response, 200, JSON.stringify({ ok: true }))
 */
export function sendJson(response: ServerResponse, status: number, body: string): void {
  response.end(writeJsonHead(response, status, body))
}

/**
 * Sends an error in the caller's dialect when the head has not left yet; else cuts the connection, so
 * that the client cannot take half an answer for a whole one.
 */
export function sendError(exchange: Exchange, error: IncipitError, render: ErrorRenderer): void {
  const { response, request } = exchange
  if (response.headersSent) {
    response.destroy()
    return
  }
  const rendered = render(error, exchange.id, request)
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(error.retryAfterSeconds))
  // The clients of OpenAI and Anthropic read this header before they repeat anything.
  if (error.retryInVain) response.setHeader('x-should-retry', 'false')
  if (request.complete || !announcesBody(request)) {
    sendJson(response, rendered.status, rendered.body)
    return
  }
  // What is left of an unread body would be taken for the next request on this connection.
  response.setHeader('connection', 'close')
  response.write(writeJsonHead(response, rendered.status, rendered.body))
  discardRest(request, () => response.end())
}

function writeJsonHead(response: ServerResponse, status: number, body: string): Buffer {
  const bytes = Buffer.from(body, 'utf8')
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length })
  return bytes
}
