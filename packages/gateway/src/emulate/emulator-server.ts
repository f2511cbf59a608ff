import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { handleAdmin } from './admin.ts'
import { applyFault, statusReply } from './apply-fault.ts'
import type { EmulatedRequest, RecordedRequest } from './emulated-request.ts'
import type { EmulatorClock } from './emulator-clock.ts'
import type { FaultSpec } from './fault.ts'
import { FaultPlan } from './fault.ts'
import type { Provider } from './provider.ts'
import type { Reply } from './reply.ts'
import { sendReply } from './send-reply.ts'

/** A long run keeps the latest requests only. */
const maxRecorded = 10_000

/** The HTTP side of an emulator: records requests, applies faults, asks the provider for the rest. */
export class EmulatorServer {
  readonly provider: Provider
  readonly clock: EmulatorClock
  readonly faults: FaultPlan = new FaultPlan()
  readonly #server: Server
  #recorded: RecordedRequest[] = []
  #count = 0

  constructor(provider: Provider, clock: EmulatorClock) {
    this.provider = provider
    this.clock = clock
    this.#server = createServer({ noDelay: true, keepAliveTimeout: 75_000 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => fail(response, error))
    })
  }

  /** @returns the base URL @throws the system's error when the address cannot be listened on */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, host, () => resolve())
    })
    const address = this.#server.address() as AddressInfo // a TCP server that listens has one
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  recorded(): readonly RecordedRequest[] {
    return [...this.#recorded]
  }

  forgetRequests(): void {
    this.#recorded = []
  }

  /** As after the start: no entries, no records, no faults, the base's time. */
  reset(): void {
    this.provider.reset()
    this.faults.clear()
    this.clock.reset()
    this.#recorded = []
    this.#count = 0
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Both taken at the head: time to live counts from there, and order is that of arrival.
    const receivedAt = this.clock.now()
    const target = request.url ?? '/'
    const url = new URL(target, 'http://emulator')
    const body = await bodyOf(request)
    if (url.pathname.startsWith('/admin/')) {
      return sendReply(response, handleAdmin({ server: this, request, path: url.pathname, body }))
    }
    this.#recorded.push({
      method: request.method ?? 'GET',
      path: target,
      headers: request.headers,
      body,
      at: receivedAt,
    })
    if (this.#recorded.length > maxRecorded) this.#recorded.shift()
    this.#count += 1
    const fault = this.faults.take(target)
    const seen: EmulatedRequest = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
      number: this.#count,
      receivedAt,
      answerBytes: fault?.huge_bytes,
    }
    await sendReply(response, this.#replyTo(seen, fault), fault)
  }

  #replyTo(request: EmulatedRequest, fault: FaultSpec | undefined): Reply {
    // Refused by the fault: the prompt never reached a model, so nothing is stored.
    const target = { provider: this.provider, path: request.path }
    if (fault?.status !== undefined) return statusReply(fault, fault.status, target)
    const reply = this.provider.handle(request)
    return fault === undefined ? reply : applyFault(reply, fault, target)
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

/** A fault of the emulator itself; clients that left while sending are none. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const message = error instanceof Error ? error.message : String(error)
  response
    .writeHead(500, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { message, type: 'emulator_error' } }))
}
