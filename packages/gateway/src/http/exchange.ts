import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncipitError, RequestId } from '@incipit/core'

/** One request and its answer, as the stages see them. */
export interface Exchange {
  readonly id: RequestId
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly params: Readonly<Record<string, string>>
  /** Aborted when the client goes away, or when the server cuts streams at shutdown (reason: IncipitError). */
  readonly signal: AbortSignal
  /** Monotonic milliseconds at which the head arrived. */
  readonly receivedAt: number
}

/** Renders an error for whoever speaks to this route. */
export type ErrorRenderer = (error: IncipitError, requestId: string) => { status: number; body: string }

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
  const bytes = Buffer.from(body, 'utf8')
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length })
  response.end(bytes)
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
  const rendered = render(error, exchange.id)
  if (error.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(error.retryAfterSeconds))
  // What is left of an unread body would be taken for the next request on this connection.
  if (!request.complete) response.setHeader('connection', 'close')
  sendJson(response, rendered.status, rendered.body)
}
