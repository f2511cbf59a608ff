import type { IncomingMessage } from 'node:http'
import { ZodError } from 'zod'
import type { EmulatorServer } from './emulator-server.ts'
import type { JsonObject } from './json.ts'
import { isObject, kindOf } from './json.ts'
import { Refusal } from './refusal.ts'
import type { Reply } from './reply.ts'
import { jsonReply } from './reply.ts'

interface AdminCall {
  readonly server: EmulatorServer
  readonly request: IncomingMessage
  readonly path: string
  readonly body: Buffer
}

/** The controls of an emulator: `/admin/{clock,faults,requests,cache,reset}`, for this machine only. */
export function handleAdmin(call: AdminCall): Reply {
  try {
    requireLoopback(call.request)
    const route = `${call.request.method} ${call.path}`
    const handler = Object.hasOwn(routes, route) ? routes[route] : undefined
    if (handler === undefined)
      throw new Refusal(404, `there is no ${route}; there are ${Object.keys(routes).join(', ')}`)
    return jsonReply(200, handler(call))
  } catch (error) {
    if (error instanceof Refusal) return jsonReply(error.status, { error: { message: error.message } })
    throw error
  }
}

const routes: Readonly<Record<string, (call: AdminCall) => unknown>> = {
  'POST /admin/clock': ({ server, body }) => ({ now_ms: advanced(server, jsonOf(body)['advance_ms']) }),
  'GET /admin/faults': ({ server }) => ({ faults: server.faults.pending() }),
  'POST /admin/faults': ({ server, body }) => {
    addFault(server, jsonOf(body))
    return { faults: server.faults.pending() }
  },
  'DELETE /admin/faults': ({ server }) => {
    server.faults.clear()
    return { faults: [] }
  },
  'GET /admin/requests': ({ server }) => ({
    requests: server.recorded().map(({ body, ...rest }) => ({ ...rest, body_base64: body.toString('base64') })),
  }),
  'DELETE /admin/requests': ({ server }) => {
    server.forgetRequests()
    return { requests: [] }
  },
  'GET /admin/cache': ({ server }) => {
    const now = server.clock.now()
    return {
      now_ms: now,
      entries: server.provider.cacheEntries(now).map((entry) => ({
        key: entry.key,
        scope: entry.scope,
        tokens: entry.tokens,
        ttl_ms: entry.ttlMs,
        written_at_ms: entry.writtenAt,
        expires_at_ms: entry.expiresAt,
      })),
    }
  },
  'POST /admin/reset': ({ server }) => {
    server.reset()
    return { reset: true }
  },
}

function requireLoopback(request: IncomingMessage): void {
  // A page of another site could post here through the user's browser.
  if (request.headers.origin !== undefined) throw new Refusal(403, 'an emulator is not controlled from web pages')
  const address = request.socket.remoteAddress ?? ''
  if (!/^(127\.|::1$|::ffff:127\.)/.test(address))
    throw new Refusal(403, 'an emulator is controlled from its own machine only')
}

function advanced(server: EmulatorServer, ms: unknown): number {
  if (typeof ms !== 'number') throw new Refusal(400, `/advance_ms must be a number, got ${kindOf(ms)}`)
  try {
    return server.clock.advance(ms)
  } catch (error) {
    if (error instanceof RangeError) throw new Refusal(400, error.message)
    throw error
  }
}

function addFault(server: EmulatorServer, spec: JsonObject): void {
  try {
    server.faults.add(spec)
  } catch (error) {
    if (!(error instanceof ZodError)) throw error
    const [issue] = error.issues
    throw new Refusal(400, `/${(issue?.path ?? []).join('/')}: ${issue?.message ?? 'not a fault'}`)
  }
}

function jsonOf(body: Buffer): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal(400, `the body of ${body.length} bytes is not JSON`)
  }
  if (!isObject(value)) throw new Refusal(400, `the body must be a JSON object, got ${kindOf(value)}`)
  return value
}
